#!/usr/bin/perl

# Tests for ws_rest: a response above ws_max_response is answered at once, also
# where it is cached or stored.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /ws {
        ws_rest /;
        ws_max_response 20k;
        ws_inflight 2;
    }

    location /cached/ {
        proxy_cache cache;
        proxy_cache_valid 1m;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /few/ {
        proxy_cache cache;
        proxy_cache_valid 1m;
        proxy_buffers 4 4k;
        proxy_buffer_size 4k;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /memory/ {
        proxy_cache cache;
        proxy_cache_valid 1m;
        proxy_max_temp_file_size 0;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /stored/ {
        proxy_store %%TESTDIR%%$uri;
        proxy_temp_path %%TESTDIR%%;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /stays/ {
        proxy_ignore_client_abort on;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /plain/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

mkdir $t->dir . '/stored';
chmod 0777, $t->dir . '/stored';

###############################################################################

local $WsSocket::patience = 4;

my $too_large = '{"id":1,"status":502,"error":"response_too_large",'
	. '"message":"the response exceeds ws_max_response"}';
my $s = RestClient->open($t);

# The half of it that comes at once is too large; the other half takes ten
# seconds to come.

for my $at (qw/cached few memory stored stays plain/) {
	for my $framing (qw/length chunked close/) {
		my $start = time;
		is($s->raw({id => 1, path =>
			"/$at/$framing?framing=$framing&size=120000&pause=10000"}),
			$too_large, "$at, $framing: too large");
		cmp_ok(time - $start, '<', 1 * $NginxWs::slow, "$at, $framing: at once");
		is($s->get("/$at/small-$framing?framing=$framing&size=10")->{body},
			'0123456789', "$at, $framing: the next call");
	}
}

# A length that is told is enough.

my $start = time;
is($s->raw({id => 1, path => '/cached/told?size=20482&cut=10&pause=10000'}),
	$too_large, 'cached: a length');
cmp_ok(time - $start, '<', 1 * $NginxWs::slow, 'cached: a length: at once');
is($s->call({id => 1, method => 'HEAD', path => '/cached/head?size=50000'})
	->{status}, 200, 'cached: HEAD has no body');

# What is within the limit is whole, from the backend and from the cache.

for (1 .. 2) {
	is(length($s->get('/cached/whole?size=20480')->{body} // ''), 20480,
		"cached: within the limit, $_");
}
is((grep { m!/cached/whole! } RestClient::seen($t)), 1, 'cached: once');

# One that is too large and in the cache is too large there, too.

is($s->raw({id => 1, path => '/cached/large?size=50000'}), $too_large,
	'cached: too large') for 1 .. 3;
is($s->status_of('/plain/?size=10'), 200, 'the socket stays');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: ws_max_response bounds what a reply may hold.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);
$t->write_file('file', 'x' x 3_000_000);

$t->run(<<'EOF');

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_max_response 100k;
    }

    location /default {
        ws_rest /;
    }

    location /tiny {
        ws_rest /;
        ws_max_response 1;
    }

    location /buffered/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /streamed/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_buffering off;
    }

    location /cached/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_cache cache;
        proxy_cache_valid 1m;
    }

    location /static/ {
        alias %%TESTDIR%%/;
    }

    location /return {
        return 200 xy;
    }
}

EOF

###############################################################################

my $too_large = '{"id":1,"status":502,"error":"response_too_large",'
	. '"message":"the response exceeds ws_max_response"}';
my $worker = ($t->workers)[0];
my $s = RestClient->open($t);

sub raw { $s->raw({id => 1, path => $_[0]}) }

for my $at (qw/buffered streamed cached/) {
	for my $framing (qw/length chunked close/) {
		is($s->status_of("/$at/?framing=$framing&size=102400"), 200,
			"$at, $framing: 100k");
		is(raw("/$at/?framing=$framing&size=102401"), $too_large,
			"$at, $framing: one byte more");
		is(raw("/$at/?framing=$framing&size=10000000"), $too_large,
			"$at, $framing: 10 million bytes");
	}
}

is(raw('/static/file'), $too_large, 'file');
is($s->call({method => 'HEAD', path => '/static/file'})->{status}, 200,
	'HEAD of it');
is($s->status_of('/buffered/?size=10'), 200, 'the socket stays');

# The backend is not read to its end.

my $aborted = grep { $_ eq 'aborted' } RestClient::seen($t);
is(raw('/streamed/?size=400000&pause=20000'), $too_large,
	'a response without end');
ok(RestClient::wait_seen($t, 'aborted', $aborted + 1, 3), 'is given up');

# Nor is it kept in memory.

$s->send({id => $_, path => '/buffered/?size=50000000'}) for 1 .. 16;
is((grep { $s->decoded->{error} ne 'response_too_large' } 1 .. 16), 0,
	'16 at once');
$t->uses($t->peak($worker), 60_000, 'kilobytes at most');

# Other limits.

$s = RestClient->open($t, '/tiny');
is(raw('/return'), $too_large, 'two bytes where one may be');
is($s->status_of('/buffered/?size=1'), 200, 'one');
is($s->status_of('/buffered/?size=0'), 200, 'none');
is($s->status_of('/nowhere'), 502, 'an error page is a response');

$s = RestClient->open($t, '/default');
is(length $s->get('/buffered/?size=1048576')->{body}, 1 << 20, 'default: 1m');
is(raw('/buffered/?size=1048577'), $too_large, 'default: one byte more');

$t->finish;

###############################################################################

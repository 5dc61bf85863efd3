#!/usr/bin/perl

# Tests for ws_rest: backends that fail cost a reply, never the socket.

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
my $backend = RestClient::backend($t);

$t->run(<<'EOF');

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
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

    location /kept/ {
        proxy_pass http://kept;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }

    location /down/ {
        proxy_pass http://127.0.0.1:%%PORT_nobody%%;
    }

    location /own-page/ {
        proxy_pass http://127.0.0.1:%%PORT_nobody%%;
        default_type application/json;
        error_page 502 =503 @page;
    }

    location @page {
        default_type application/json;
        return 503 '{"down":true}';
    }

    location /closed/ {
        return 444;
    }

    location /unresolved/ {
        set $name nowhere.invalid;
        proxy_pass http://$name/;
    }
}

upstream kept {
    server 127.0.0.1:%%PORT_backend%%;
    keepalive 4;
}

EOF

###############################################################################

my $s = RestClient->open($t);

sub outcome {
	my ($path) = @_;
	my $reply = $s->get($path);
	return join ' ', $reply->{status}, $reply->{error} // ();
}

for my $at (qw/buffered streamed cached kept/) {
	is(outcome("/$at/?fault=$_"), '502', "$at: $_") for qw/drop half/;
	# To nginx this is a response of HTTP/0.9, which has no status.
	is(outcome("/$at/?fault=garbage"), '502 backend_failed', "$at: garbage");

	for my $framing (qw/length chunked/) {
		for my $cut (0, 1, 500, 999, 69_999) {
			my $size = $cut > 999 ? 70_000 : 1000;
			is(outcome("/$at/?size=$size&framing=$framing&cut=$cut"),
				'502 backend_failed', "$at: $framing, $cut of $size bytes");
		}
	}

	# Without a length nobody can know.

	is(outcome("/$at/?size=1000&framing=close&cut=500"), 200,
		"$at: ends with the connection");
	is(outcome("/$at/?size=1000&pause=20"), 200, "$at: all of it");
	is(outcome("/$at/?type=application/json&body=[1,2]&cut=4"),
		'502 backend_failed', "$at: JSON without its end");
}

is(outcome('/down/'), 502, 'nobody listens');
is(outcome('/own-page/'), 503, 'nobody listens, own page');
is(outcome('/closed/'), '502 backend_failed', 'return 444');
is(outcome('/unresolved/'), 502, 'no such host');

# The backend dies while it works.

$s->send({id => $_, path => "/$_/?fault=hang"}) for qw/buffered streamed kept/;
RestClient::wait_seen($t, qr/fault=hang/, 3);
RestClient::stop_backend($backend);
is(join(' ', sort map { my $r = $s->decoded; "$r->{id}:$r->{status}" } 1 .. 3),
	'buffered:502 kept:502 streamed:502', 'a backend that dies');
is(outcome('/kept/?body='), 502, 'is dead');
unlink $t->dir . '/backend.record';
RestClient::backend($t);
$t->wait_for(sub { outcome('/kept/?body=') eq '200' });
is(outcome('/kept/?body='), 200, 'is back');
is(outcome('/buffered/?body='), 200, 'the socket has seen it all');

$t->finish;

###############################################################################

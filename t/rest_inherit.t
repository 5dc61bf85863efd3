#!/usr/bin/perl

# Tests for ws_rest: values are inherited by the locations below.

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

$t->run(<<'EOF');

ws_request_timeout 200ms;
ws_max_response 100;
ws_response_headers x-outer;
ws_client_headers X-Outer;

server {
    listen 127.0.0.1:%%PORT%%;
    ws_order strict;

    location /outer {
        ws_rest /api/;
    }

    location /inner {
        ws_request_timeout 2s;
        ws_max_response 200;
        ws_response_headers x-inner;
        ws_client_headers X-Inner;
        ws_order completion;

        location /inner/nested {
            ws_rest /api/;
        }
    }

    location /if {
        ws_rest /api/;

        if ($arg_short) {
            set $x 1;
        }
    }

    # The handler is not inherited.
    location /handler {
        ws_rest /api/;

        location /handler/nested {
            return 200 "not a bridge";
        }
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        add_header X-Outer outer;
        add_header X-Inner inner;
    }
}

EOF

###############################################################################

my $refused = qr/header_not_allowed/;

for my $path ('/outer', '/if', '/if?short=1') {
	my $s = RestClient->open($t, $path);
	is($s->status_of('/api/?body=&delay=500'), 504, "$path: timeout");
	is($s->status_of('/api/?size=101'), 502, "$path: response");
	is($s->raw('{"path":"/api/?body="}'),
		'{"status":200,"headers":{"x-outer":"outer"}}', "$path: headers");
	like($s->raw('{"path":"/api/","headers":{"X-Inner":"x"}}'), $refused,
		"$path: other header");
	is($s->call('{"path":"/api/?body=","headers":{"X-Outer":"x"}}')->{status},
		200, "$path: header");
	$s->send({id => $_, path => "/api/?body=&delay=" . (150 - $_)})
		for 10, 140;
	is(join(' ', map { $s->decoded->{id} } 1, 2), '10 140', "$path: order");
}

my $s = RestClient->open($t, '/inner/nested');
is($s->status_of('/api/?body=&delay=500'), 200, 'nested: timeout');
is($s->status_of('/api/?size=200'), 200, 'nested: response');
is($s->raw('{"path":"/api/?body="}'),
	'{"status":200,"headers":{"x-inner":"inner"}}', 'nested: headers');
like($s->raw('{"path":"/api/","headers":{"X-Outer":"x"}}'), $refused,
	'nested: other header');
$s->send({id => $_, path => "/api/?body=&delay=" . (150 - $_)}) for 10, 140;
is(join(' ', map { $s->decoded->{id} } 1, 2), '140 10', 'nested: order');

is($t->http('/handler/nested')->body, 'not a bridge', 'handler');

$t->finish;

###############################################################################

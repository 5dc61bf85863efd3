#!/usr/bin/perl

# Tests for WebSocket: refusals go through error_page and other filters.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    error_page 400 /400;
    error_page 403 =418 /403;
    error_page 405 /405;

    location /ws {
        ws_echo;
        ws_origin same;
    }

    location /page {
        ws_echo;
        error_page 426 /426;
    }

    location /filters {
        ws_echo;
        gzip on;
        gzip_types *;
        gzip_min_length 1;
        expires 1h;
        add_header X-Always yes always;
        add_header X-Echo $http_x_echo always;
    }

    location /400 { return 200 "page 400\n"; }
    location /403 { return 200 "page 403\n"; }
    location /426 { return 200 "page 426\n"; }
    location /405 { return 200 "page 405\n"; }
}

EOF

###############################################################################

my $s = $t->http('/ws', key => 'short');
is($s->status . ' ' . $s->body, "400 page 400\n", 'error_page for 400');

$s = $t->http('/ws', headers => ['Origin: http://evil.example']);
is($s->status . ' ' . $s->body, "418 page 403\n", 'error_page for 403');

$s = $t->http("POST /ws HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
	. "\r\nabc");
is($s->status . ' ' . $s->body, "405 page 405\n", 'error_page for 405');

$s = $t->http("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
is($s->status . ' ' . $s->body, "426 page 426\n", 'error_page for 426');

# Header filters see the answer 101, body filters do not see frames.

$s = $t->ws('/filters', headers => ['Accept-Encoding: gzip', 'X-Echo: back']);
is($s->header('X-Always'), 'yes', 'add_header on 101');
is($s->header('X-Echo'), 'back', 'variable in add_header on 101');
is($s->header('Content-Encoding'), undef, 'no gzip on 101');
is($s->text('a' x 1000)->read, 'text:' . 'a' x 1000, 'no gzip of frames');

$s = $t->http("GET /filters HTTP/1.1\r\nHost: localhost\r\n\r\n");
is($s->status . ' ' . $s->header('X-Always'), '426 yes', 'add_header on 426');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: locations that a socket reaches in other ways.

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
    server_name one;

    location = /exact { ws_echo; }
    location ^~ /prefix/ { ws_echo; }
    location ~ ^/regex/\d+$ { ws_echo; }
    location /rewritten { rewrite ^ /exact last; }
    location /tried { try_files /no/such/file @named; }
    location @named { ws_echo; ws_subprotocol named; }
    location /error { error_page 404 = /exact; return 404; }

    location /if {
        ws_echo;

        if ($arg_x) {
            set $y z;
            add_header X-If yes always;
        }
    }

    location /only-if {
        if ($http_upgrade = "websocket") {
            rewrite ^ /exact last;
        }

        return 200 "plain\n";
    }

    location /outer {
        ws_echo;
        ws_max_message 10;

        location /outer/plain { return 200 "plain\n"; }
    }

    location /return {
        ws_echo;
        return 204;
    }

    location /plain { return 200 "plain\n"; }
}

server {
    listen 127.0.0.1:%%PORT%%;
    server_name two;

    location = /exact { return 200 "two\n"; }
}

EOF

###############################################################################

for my $path (qw!/exact /exact?a=b /%65xact /prefix/x /regex/42 /rewritten
	/tried /error /if /if?x=1 /only-if /outer /outer/inner!)
{
	is($t->ws($path)->text('x')->read, 'text:x', $path);
}

is($t->ws('/if?x=1')->header('X-If'), 'yes', 'if is taken');
is($t->ws('/tried', headers => ['Sec-WebSocket-Protocol: named'])
	->header('Sec-WebSocket-Protocol'), 'named',
	'directives of a named location');
$t->closes($t->ws('/outer/inner')->text('', length => 11), 1009,
	'directives of the location around');

# Locations without ws_echo know nothing of upgrades.

is($t->http($_)->status, 200, "$_ is plain")
	for '/plain', '/outer/plain';
is($t->http('/exact', name => 'two')->body, "two\n", 'another server');
is($t->http('/return')->status, 204, 'return comes first');
is($t->http('/no/such')->status, 404, 'no location');
is($t->http("GET /only-if HTTP/1.1\r\nHost: one\r\n\r\n")->body, "plain\n",
	'no upgrade');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: behind another nginx.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->certificate->run(<<'EOF');

log_format code "$server_port $ws_close_code $ws_messages_in";
access_log %%TESTDIR%%/access.log code;

map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
}

server {
    listen 127.0.0.1:%%PORT%% ssl;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location / {
        proxy_pass http://127.0.0.1:%%PORT_BACK%%;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
    }
}

server {
    listen 127.0.0.1:%%PORT_BACK%%;

    location /ws {
        ws_echo;
        ws_origin same;
        ws_subprotocol chat;
    }

    location /idle {
        ws_echo;
        ws_idle_timeout 200ms;
    }
}

EOF

###############################################################################

my $big = 'b' x (1 << 20);
my $host = 'localhost:' . $t->port;

my $s = $t->ws('/ws', tls => 1, name => $host, headers =>
	["Origin: https://$host", 'Sec-WebSocket-Protocol: chat']);
is($s->header('Sec-WebSocket-Protocol'), 'chat', 'subprotocol');
is($s->text('hello')->read, 'text:hello', 'echo');
ok(($s->binary($big)->read_frame // {})->{payload} eq $big, 'large echo');
$t->closes($s->close(1000), 1000, 'close');

$t->closes($t->ws('/ws', tls => 1)->write("\x83\x80"), 1002, 'violation');

$s = $t->ws('/idle', tls => 1);
is(join(' ', $s->read_close), '1001 idle timeout', 'timeout');
is($s->close(1001)->end, 'eof', 'end');

is($t->http('/ws', tls => 1, headers => ['Origin: https://evil.example'])
	->status, 403, 'foreign origin');
is($t->http("GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n", tls => 1)->status,
	426, 'no upgrade');

my $back = $t->port('BACK');
is((grep { /^$back 1000 2$/ } $t->logged(8)), 1, 'log of the one behind');

$t->finish;

###############################################################################

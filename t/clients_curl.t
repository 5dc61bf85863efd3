#!/usr/bin/perl

# Tests for WebSocket: curl with the headers of a handshake.

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

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $port = $t->port;
my $headers = join ' ', map { "-H '$_'" } 'Upgrade: websocket',
	'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
	'Sec-WebSocket-Key: ' . WsClient::KEY;

# What people type to see whether a WebSocket is there.

my $answer = qx{curl -s -i -N -m 1 $headers http://127.0.0.1:$port/ws};
like($answer, qr!^HTTP/1\.1 101 Switching Protocols\r\n!, 'handshake');
like($answer, qr/^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/m,
	'accept value');

$answer = qx{curl -sS -i -m 5 http://127.0.0.1:$port/ws 2>&1};
like($answer, qr!^HTTP/1\.1 426 Upgrade Required\r\n!, 'no handshake');

# A curl that speaks WebSocket itself shows the same refusal.

SKIP: {
	skip 'curl without WebSocket', 1 unless qx{curl -V} =~ /^Protocols:.* ws /m;
	$answer = qx{curl -s -i -N -m 2 ws://127.0.0.1:$port/ws};
	like($answer, qr!^HTTP/1\.1 101 !, 'ws:// of curl');
}

$t->finish;

###############################################################################

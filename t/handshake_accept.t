#!/usr/bin/perl

# Tests for WebSocket: handshakes that are accepted.

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

my $s = $t->ws('/ws');

like($s->head, qr!^HTTP/1\.1 101 Switching Protocols\r\n!, 'status line');
is($s->header('Sec-WebSocket-Accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
	'accept value of the RFC');
is(lc $s->header('Upgrade'), 'websocket', 'upgrade');
is(lc $s->header('Connection'), 'upgrade', 'connection');
is($s->header('Content-Length'), undef, 'no length');
is($s->header('Transfer-Encoding'), undef, 'no chunks');
is($s->header('Content-Type'), undef, 'no type');
is($s->header('Sec-WebSocket-Protocol'), undef, 'no subprotocol');
is($s->header('Sec-WebSocket-Extensions'), undef, 'no extension');
is($s->text('hello')->read, 'text:hello', 'echo');

my $key = 'AAECAwQFBgcICQoLDA0ODw==';
is($t->ws('/ws', key => $key)->header('Sec-WebSocket-Accept'),
	WsClient::accept_value($key), 'accept value of another key');

# The example of RFC 6455, 4.1; its last digit has more bits than the bytes.

is($t->ws('/ws', key => 'AQIDBAUGBwgJCgsMDQ4PEC==')
	->header('Sec-WebSocket-Accept'), 'OfS0wDaT5NoxF2gqm7Zj2YtetzM=',
	'key with spare bits');

# Ways to say the same.

my @host = ('GET /ws HTTP/1.1', 'Host: localhost');
my @key = ('Sec-WebSocket-Key: ' . WsClient::KEY, 'Sec-WebSocket-Version: 13');

for (
	['upper case', 'UPGRADE: WEBSOCKET', 'CONNECTION: UPGRADE',
		map { uc((split /:/)[0]) . ':' . (split /:/)[1] } @key],
	['lower case', 'upgrade: websocket', 'connection: upgrade',
		map { lc((split /:/)[0]) . ':' . (split /:/)[1] } @key],
	['connection list of Firefox',
		'Upgrade: websocket', 'Connection: keep-alive, Upgrade', @key],
	['connection list without spaces',
		'Upgrade: websocket', 'Connection: upgrade,keep-alive', @key],
	['connection list with empty elements',
		'Upgrade: websocket', "Connection: , ,keep-alive,\t Upgrade ,", @key],
	['connection repeated', 'Upgrade: websocket',
		'Connection: keep-alive', 'Connection: Upgrade', @key],
	['upgrade list', 'Upgrade: h2c, WebSocket', 'Connection: Upgrade', @key],
	['upgrade repeated', 'Upgrade: h2c', 'Upgrade: websocket',
		'Connection: Upgrade', @key],
	['spaces around values', 'Upgrade:   websocket  ',
		'Connection:Upgrade', map { "$_  " } @key],
	['headers in another order', @key, 'Connection: Upgrade',
		'Upgrade: websocket'],
	['empty body', 'Upgrade: websocket', 'Connection: Upgrade', @key,
		'Content-Length: 0'],
	['an extension offered', 'Upgrade: websocket', 'Connection: Upgrade', @key,
		'Sec-WebSocket-Extensions: x-unknown; a=1'],
) {
	my ($name, @lines) = @$_;
	my $s = $t->http(join "\r\n", @host, @lines, '', '');
	is($s->status . ' ' . ($s->header('Sec-WebSocket-Extensions') // '-'),
		'101 -', $name);
}

my $big = $t->ws('/ws?' . 'x' x 5000, headers => ['Cookie: ' . 'y' x 5000]);
is($big->text('large')->read, 'text:large', 'head of more than one buffer');

$t->finish;

###############################################################################

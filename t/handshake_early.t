#!/usr/bin/perl

# Tests for WebSocket: handshakes and frames that share packets.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location / {
        return 200 "plain\n";
    }

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my ($hello, $world) = map { WsFrame::encode(1, $_) } qw/hello world/;
my $plain = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

my $s = $t->ws('/ws', more => $hello);
is($s->read, 'text:hello', 'frame in the packet of the handshake');
is($s->text('more')->read, 'text:more', 'frame after it');

$s = $t->ws('/ws', more => $hello . $world);
is($s->read, 'text:hello', 'first of two frames');
is($s->read, 'text:world', 'second of two frames');

# Every way to cut a frame in two.

for my $cut (1 .. length($hello) - 1) {
	$s = $t->ws('/ws', more => substr($hello, 0, $cut));
	is($s->write(substr($hello, $cut))->read, 'text:hello',
		"frame cut after $cut bytes");
}

$s = $t->ws('/ws', more => WsFrame::encode(2, 'z' x 100_000));
is($s->read, 'binary:' . 'z' x 100_000, 'frame larger than the head buffer');

$s = $t->ws('/ws', more => join '', map { WsFrame::encode(1, $_) } 1 .. 100);
is(join(' ', map { $s->read } 1 .. 100), join(' ', map { "text:$_" } 1 .. 100),
	'a hundred frames');

$t->closes($t->ws('/ws', more => "\x81\x05hello"), 1002,
	'unmasked frame in the packet of the handshake');

$s = $t->ws('/ws', more => WsFrame::encode(8, pack('n', 1000)));
$t->closes($s, 1000, 'close in the packet of the handshake');

# Connections that were used before.

$s = $t->http($plain);
is($s->body, "plain\n", 'plain request');
is($s->handshake, 101, 'upgrade of a kept connection');
is($s->text('kept')->read, 'text:kept', 'echo on a kept connection');

$s = $t->http($plain . WsClient::upgrade() . $hello);
is($s->body, "plain\n", 'plain request before a pipelined upgrade');
is($s->response, 101, 'pipelined upgrade');
is($s->read, 'text:hello', 'frame after a pipelined upgrade');

# One byte at a time.

$s = WsClient->new(port => $t->port);
$s->dribble(WsClient::upgrade() . $hello);
is($s->response, 101, 'handshake byte by byte');
is($s->read, 'text:hello', 'frame byte by byte');

$t->finish;

###############################################################################

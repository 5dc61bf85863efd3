#!/usr/bin/perl

# Tests for WebSocket: a client that sends one byte at a time.

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

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $s = $t->ws('/ws');
my $text = "\xe2\x82\xac and \xf0\x9f\x98\x80";

$s->dribble(WsFrame::encode(1, $text));
is($s->read, "text:$text", 'text');

$s->dribble(WsFrame::encode(2, 'b' x 130));
is($s->read, 'binary:' . 'b' x 130, '16 bits of length');

$s->dribble(WsFrame::encode(9, 'ping'));
is($s->read, 'pong:ping', 'ping');

# The header and the first bytes of a long frame, then the rest.

my $long = WsFrame::encode(2, 'c' x 70_000);
$s->dribble(substr $long, 0, 40);
$s->write(substr $long, 40, -20);
$s->dribble(substr $long, -20);
is($s->read, 'binary:' . 'c' x 70_000, '64 bits of length');

$s->dribble(WsFrame::encode(1, 'fr', fin => 0) . WsFrame::encode(9, 'in')
	. WsFrame::encode(0, 'ag'));
is($s->read, 'pong:in', 'ping between fragments');
is($s->message, 'text:frag', 'fragments');

$s->dribble(WsFrame::encode(8, pack('n', 1000) . 'bye'));
$t->closes($s, 1000, 'close');

# In pieces of every size, as the network might cut.

my $stream = join '', map { WsFrame::encode(1, 'm' x $_) } 0 .. 40;
my $expected = join '', map { 'm' x $_ } 0 .. 40;

for my $size (2 .. 19) {
	my $s = $t->ws('/ws');
	for (my $i = 0; $i < length $stream; $i += $size) {
		$s->write(substr $stream, $i, $size);
	}
	is(join('', map { ($s->read_frame // {})->{payload} // 'lost' } 0 .. 40),
		$expected, "pieces of $size bytes");
}

$t->finish;

###############################################################################

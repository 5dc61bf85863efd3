#!/usr/bin/perl

# Tests for WebSocket: protocol errors are closed with 1002 by their headers.

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

# No case sends a payload: the server must not wait for one.  Where the frames
# before matter, the header is complete; else not even that.

my $mask = "mask";

my @cases = (
	['unmasked text', "\x81\x05"],
	['unmasked empty text', "\x81\x00"],
	['unmasked ping', "\x89\x00"],
	['unmasked close', "\x88\x02"],
	['unmasked, 16 bits of length', "\x81\x7e"],
	['unmasked, 64 bits of length', "\x82\x7f"],

	['text with RSV1', "\xc1\x80$mask"],
	['text with RSV2', "\xa1\x80"],
	['text with RSV3', "\x91\x80"],
	['text with all RSV', "\xf1\x80"],
	['binary with RSV1', "\xc2\x85$mask"],
	['ping with RSV1', "\xc9\x80"],
	['pong with RSV2', "\xaa\x80"],
	['close with RSV3', "\x98\x80"],

	(map { [sprintf('reserved opcode %x', $_), chr(0x80 | $_) . "\x80"] }
		3 .. 7, 11 .. 15),
	['reserved opcode in fragments', "\x03\x80"],

	['ping in fragments', "\x09\x80"],
	['pong in fragments', "\x0a\x80"],
	['close in fragments', "\x08\x82"],
	['ping of 126 bytes', "\x89\xfe"],
	['pong of 126 bytes', "\x8a\xfe"],
	['close of 126 bytes', "\x88\xfe"],
	['ping with 64 bits of length', "\x89\xff"],

	['continuation of nothing', "\x80\x85$mask"],
	['continuation of nothing, more to come', "\x00\x85$mask"],

	['125 bytes in 16 bits', "\x82\xfe\x00\x7d"],
	['no bytes in 16 bits', "\x82\xfe\x00\x00"],
	['65535 bytes in 64 bits', "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"],
	['5 bytes in 64 bits', "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05"],
	['length of 2^63', "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"],
	['length of 2^64 - 1', "\x82\xff" . "\xff" x 8],
);

$t->closes($t->ws('/ws')->write($_->[1]), 1002, $_->[0]) for @cases;

# In the middle of a message.

my $start = WsFrame::encode(1, 'start', fin => 0);

for (
	['text within a message', "\x81\x80$mask"],
	['text in fragments within a message', "\x01\x85$mask"],
	['binary within a message', "\x82\x80$mask"],
	['continuation with RSV1', "\xc0\x80$mask"],
	['ping in fragments within a message', "\x09\x80"],
	['unmasked continuation', "\x80\x05"],
) {
	$t->closes($t->ws('/ws')->write($start . $_->[1]), 1002, $_->[0]);
}

my $end = WsFrame::encode(0, 'end');
$t->closes($t->ws('/ws')->write($start . $end . "\x80\x80$mask"), 1002,
	'continuation after the last fragment');

# After good messages, byte by byte, and with much more behind it.

my $hello = WsFrame::encode(1, 'hello');
my $s = $t->ws('/ws')->write($hello . $hello . "\x83\x80");
is(join(' ', $s->read, $s->read), 'text:hello text:hello',
	'messages before an error are answered');
$t->closes($s, 1002, 'then it is closed');

for my $case (@cases) {
	my $s = $t->ws('/ws');
	my $bytes = $case->[1];
	$s->write(substr $bytes, 0, -1);
	$t->closes($s->write(substr $bytes, -1), 1002, "$case->[0], in two parts");
}

$s = $t->ws('/ws');
$s->write("\x83\x80" . $hello x 100_000);
$t->closes($s, 1002, 'a megabyte after the error is no reset');
is(@{$s->{skipped}}, 0, 'and is not answered');

# What is sent when the server has closed already is no reset either.

my $before = length $t->error_log;
$s = $t->ws('/ws')->write("\x83\x80");
$t->wait_for(sub { substr($t->error_log, $before) =~ /closing with 1002/ });
$s->stuff($hello, 0.1) for 1 .. 10;
$t->closes($s, 1002, 'frames after the server has closed');

$t->finish;

###############################################################################

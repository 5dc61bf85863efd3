#!/usr/bin/perl

# Tests for WebSocket: compressed messages that are bombs or garbage.

###############################################################################

use warnings;
use strict;

use Compress::Raw::Zlib;
use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    ws_compression on;
    ws_compression_min_length 100;

    location /ws { ws_echo; }
    location /off { ws_echo; ws_compression off; }
}

EOF

###############################################################################

my @offer = (headers => ['Sec-WebSocket-Extensions: permessage-deflate']);
my $worker = ($t->workers)[0];

# The payload of a compressed message, and its frame.

sub deflate {
	my (@plain) = @_;
	my $z = Compress::Raw::Zlib::Deflate->new(-WindowBits => -(MAX_WBITS),
		-AppendOutput => 1);
	my $out = '';
	$z->deflate($_, $out) for @plain;
	$z->flush($out, Z_SYNC_FLUSH);
	return substr $out, 0, -4;
}

sub compressed {
	my ($opcode, $payload, %o) = @_;
	return WsFrame::encode($opcode, $payload, rsv => 4, %o);
}

my $s = $t->ws('/ws', @offer);
like($s->header('Sec-WebSocket-Extensions'), qr/^permessage-deflate/, 'agreed');
is($s->write(compressed(1, deflate('hello')))->read, 'text:hello',
	'a short echo goes uncompressed');

my $frame = $s->write(compressed(1, deflate('x' x 1000)))->read_frame;
ok($frame->{rsv}, 'a long one goes compressed');
cmp_ok(length $frame->{payload}, '<', 100, 'and is short');

# A gigabyte in a megabyte: what it may cost is the limit, 1m.

my $bomb = deflate(("\0" x (1 << 20)) x 1024);
my $before = $t->peak($worker);
$s = $t->ws('/ws', @offer)->write(compressed(2, $bomb));
$t->closes($s, 1009, 'bomb', 'message too big');
SKIP: {
	skip 'memory under a wrapper', 1 if $ENV{TEST_NGINX_WRAP};
	cmp_ok($t->peak($worker) - $before, '<', 8 << 10, 'memory of a bomb, in kB');
}

# One byte more than the limit, and just the limit.

$s = $t->ws('/ws', @offer)->write(compressed(2, deflate("\0" x ((1 << 20) + 1))));
$t->closes($s, 1009, 'one byte too many');
$s = $t->ws('/ws', @offer)->write(compressed(2, deflate("\0" x (1 << 20))));
ok($s->read_frame->{rsv}, 'just the limit');

# Garbage, and what only decompression shows.

for (
	['no deflate data', 2, "\xff" x 20, 1007],
	['a truncated block', 2, substr(deflate('y' x 50), 0, 3), 1007],
	['text that is not UTF-8', 1, deflate("\xff"), 1007],
) {
	my ($name, $opcode, $payload, $code) = @$_;
	$s = $t->ws('/ws', @offer)->write(compressed($opcode, $payload));
	$t->closes($s, $code, $name);
}

# RSV1 where it means nothing.

$t->closes($t->ws('/ws', @offer)->write(compressed(9, '')), 1002, 'on a ping');
$t->closes($t->ws('/ws')->write(compressed(1, 'x')), 1002, 'not offered');
$s = $t->ws('/off', @offer);
is($s->header('Sec-WebSocket-Extensions'), undef, 'off: not agreed');
$t->closes($s->write(compressed(1, 'x')), 1002, 'off');
$s = $t->ws('/ws', @offer);
$s->write(WsFrame::encode(1, 'a', fin => 0) . compressed(0, 'b'));
$t->closes($s, 1002, 'on a continuation');

$t->finish;

###############################################################################

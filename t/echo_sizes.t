#!/usr/bin/perl

# Tests for WebSocket: messages of all sizes come back byte for byte.

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

# Bytes that show a shift, a wrong mask and a lost part.

sub bytes { join '', map { chr(($_ * 7 + ($_ >> 8)) & 255) } 0 .. shift() - 1 }

# UTF-8 of one to four bytes a character, and no longer than asked.

sub utf8_text {
	my ($size) = @_;
	my $text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" x ($size / 10);
	return $text . 'z' x ($size - length $text);
}

my @sizes = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 33, 63 .. 66, 124 .. 129,
	1023, 4095 .. 4097, 16383 .. 16385, 65533 .. 65538, 131071, 262144,
	1048575, 1048576);

my $s = $t->ws('/ws');

for my $size (@sizes) {
	my ($text, $bytes) = (utf8_text($size), bytes($size));

	my $frame = $s->text($text)->read_frame;
	ok($frame->{opcode} == 1 && $frame->{fin} && $frame->{payload} eq $text,
		"text of $size bytes");

	$frame = $s->binary($bytes)->read_frame;
	ok($frame->{opcode} == 2 && $frame->{fin} && $frame->{payload} eq $bytes,
		"binary of $size bytes");
}

$t->closes($s->binary('', length => 1048577), 1009,
	'one byte more than the default of ws_max_message');

# The same mask on every offset of the server's buffer.

$s = $t->ws('/ws');
my $all = join '', map { WsFrame::encode(2, bytes($_)) } 0 .. 300;
$s->write($all);
is(join('', map { ($s->read_frame // {})->{payload} // 'lost' } 0 .. 300),
	join('', map { bytes($_) } 0 .. 300), 'frames of 0 to 300 bytes at once');

is($s->binary(bytes(70), mask => "\0\0\0\0")->read, 'binary:' . bytes(70),
	'mask of zeros');
is($s->binary(bytes(70), mask => "\xff\xff\xff\xff")->read,
	'binary:' . bytes(70), 'mask of ones');

$t->finish;

###############################################################################

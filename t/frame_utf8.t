#!/usr/bin/perl

# Tests for WebSocket: text must be UTF-8, and fails with its first wrong byte.

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

my @good = (
	"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
	"\xef\xbf\xbd", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	"\x00", "\x7f", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
);

# What is wrong, and how many of its bytes it takes to know.

my @bad = (
	['continuation alone', "\x80", 1],
	['last continuation alone', "\xbf", 1],
	['overlong of two bytes', "\xc0\x80", 1],
	['overlong of two bytes, c1', "\xc1\xbf", 1],
	['overlong of three bytes', "\xe0\x80\x80", 2],
	['last overlong of three bytes', "\xe0\x9f\xbf", 2],
	['overlong of four bytes', "\xf0\x80\x80\x80", 2],
	['last overlong of four bytes', "\xf0\x8f\xbf\xbf", 2],
	['first surrogate', "\xed\xa0\x80", 2],
	['last surrogate', "\xed\xbf\xbf", 2],
	['above U+10FFFF', "\xf4\x90\x80\x80", 2],
	['lead byte f5', "\xf5\x80\x80\x80", 1],
	['lead byte of five', "\xf8\x88\x80\x80\x80", 1],
	['fe', "\xfe", 1],
	['ff', "\xff", 1],
	['lead without continuation', "\xc3x", 2],
	['lead after lead', "\xe2\xe2", 2],
	['two of three bytes', "\xe2\x82x", 3],
	['three of four bytes', "\xf0\x9f\x98x", 4],
);

my $s = $t->ws('/ws');

for my $text (@good) {
	my $name = unpack 'H*', $text;
	is($s->text($text)->read, "text:$text", "good: $name");

	$s->text('', fin => 0);
	$s->continuation($_, fin => 0) for split //, $text;
	is($s->continuation('')->message, "text:$text", "good in parts: $name");
}

for my $case (@bad) {
	my ($name, $text, $known) = @$case;

	$t->closes($t->ws('/ws')->text($text), 1007, $name);
	$t->closes($t->ws('/ws')->text('x' x 100_000 . $text), 1007,
		"$name, far into the text");

	# Neither the rest of the message nor that of the frame is waited for.

	my $start = substr $text, 0, $known;

	$t->closes($t->ws('/ws')->text("good $start", fin => 0), 1007,
		"$name, in a first fragment");

	my $s = $t->ws('/ws');
	$s->text($_, fin => 0) for substr $start, 0, 1;
	$s->continuation($_, fin => 0) for split //, substr $start, 1;
	$t->closes($s, 1007, "$name, byte by byte");

	$t->closes($t->ws('/ws')->text("good $start", length => 1000), 1007,
		"$name, in an incomplete frame");
}

# A message may not end within a character.

for my $text ("\xc3", "\xe2", "\xe2\x82", "\xf0\x9f\x98") {
	my $name = unpack 'H*', $text;

	$t->closes($t->ws('/ws')->text($text), 1007, "cut: $name");
	$t->closes($t->ws('/ws')->text($text, fin => 0)->continuation(''), 1007,
		"cut in fragments: $name");

	my $s = $t->ws('/ws')->text($text, fin => 0);
	is($s->ping('x')->read, 'pong:x', "not cut while it goes on: $name");
}

# Nothing of this is the business of binary messages and pings.

is($s->binary($_->[1])->read, "binary:$_->[1]", "binary: $_->[0]") for @bad;
is($s->ping("\xff\xc0")->read, "pong:\xff\xc0", 'ping');
$s->binary("\xe2", fin => 0);
is($s->continuation("\xff")->message, "binary:\xe2\xff", 'binary fragments');

$t->finish;

###############################################################################

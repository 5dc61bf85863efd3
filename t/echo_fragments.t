#!/usr/bin/perl

# Tests for WebSocket: fragmented messages, with control frames in between.

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

    location /three {
        ws_echo;
        ws_max_fragments 3;
    }

    location /ten {
        ws_echo;
        ws_max_message 10;
    }
}

EOF

###############################################################################

my $s = $t->ws('/ws');

sub fragments {
	my ($method, @parts) = @_;
	my $last = pop @parts;
	my $first = 1;
	for (@parts) {
		$first ? $s->$method($_, fin => 0) : $s->continuation($_, fin => 0);
		$first = 0;
	}
	return $s->continuation($last)->message;
}

is(fragments('text', 'hel', 'lo'), 'text:hello', 'two fragments');
is(fragments('text', split //, 'hello'), 'text:hello', 'one byte a fragment');
is(fragments('binary', "\xff\xfe", '', "\x00"), "binary:\xff\xfe\x00",
	'an empty fragment');
is(fragments('text', '', '', ''), 'text:', 'nothing but empty fragments');
is(fragments('text', "\xe2", "\x82", "\xac"), "text:\xe2\x82\xac",
	'a character over three fragments');
is(fragments('binary', map { chr($_) x 1000 } 1 .. 100),
	'binary:' . join('', map { chr($_) x 1000 } 1 .. 100),
	'a hundred fragments');
is(fragments('text', ('x') x 1024), 'text:' . 'x' x 1024,
	'as many as the default of ws_max_fragments');

# Control frames are answered while the message is incomplete.

$s->text('he', fin => 0);
is($s->ping('one')->read, 'pong:one', 'ping after the first fragment');
$s->continuation('l', fin => 0)->pong('unasked');
is($s->ping('')->read, 'pong:', 'ping after the second fragment');
is($s->continuation('lo')->message, 'text:hello', 'the message');
is($s->text('whole')->read, 'text:whole', 'an unfragmented one after it');

$s->text('ne', fin => 0);
$t->closes($s->close(1000), 1000, 'close between fragments');

# Limits: on a border, and over it.

$s = $t->ws('/three');
is(fragments('text', 'a', 'b', 'c'), 'text:abc', 'three of three fragments');
is(fragments('text', 'd', 'e', 'f'), 'text:def', 'and again');
$s->text('a', fin => 0)->continuation('b', fin => 0)
	->continuation('c', fin => 0)->ping('')->read;
$t->closes($s->continuation('', length => 1), 1008,
	'the fourth fragment, by its header');

$s = $t->ws('/ws');
$s->text('x', fin => 0);
$s->write(join '', map { WsFrame::encode(0, 'x', fin => 0) } 2 .. 1025);
$t->closes($s, 1008, 'one more than the default of ws_max_fragments');

$s = $t->ws('/ten');
is(fragments('text', '12345', '67890'), 'text:1234567890',
	'ten bytes in two fragments');
$s->text('12345', fin => 0);
$t->closes($s->continuation('', length => 6, fin => 0), 1009,
	'eleven bytes in two fragments, by the header');

$t->finish;

###############################################################################

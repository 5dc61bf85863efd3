#!/usr/bin/perl

# Tests for WebSocket: the closing handshake that a client starts.

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

for my $code (1000 .. 1003, 1007 .. 1014, 3000, 3999, 4000, 4999) {
	my $s = $t->ws('/ws')->close($code, 'some reason');
	is(join(' ', $s->read, $s->end), "close:$code eof",
		"$code is answered, without the reason");
}

for my $code (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000,
	65535)
{
	$t->closes($t->ws('/ws')->close($code), 1002, "$code is illegal");
}

my $s = $t->ws('/ws')->close;
is(join(' ', $s->read, $s->end), 'close: eof', 'no code');

$s = $t->ws('/ws')->close(1000, 'r' x 123);
is(join(' ', $s->read, $s->end), 'close:1000 eof', 'longest reason');
$s = $t->ws('/ws')->close(1000, "\xe2\x82\xac" x 41);
is(join(' ', $s->read, $s->end), 'close:1000 eof', 'reason in UTF-8');

$t->closes($t->ws('/ws')->frame(8, "\x03"), 1002, 'half a code');
$t->closes($t->ws('/ws')->close(1000, "\xff"), 1007, 'reason not in UTF-8');
$t->closes($t->ws('/ws')->close(1000, "\xe2\x82"), 1007, 'reason cut in UTF-8');
$t->closes($t->ws('/ws')->frame(8, '', form => 16, length => 126), 1002,
	'payload of 126 bytes');
$t->closes($t->ws('/ws')->close(999, "\xff"), 1002, 'illegal twice');

# What came before the Close is answered, what comes after it is not.

$s = $t->ws('/ws');
$s->write(WsFrame::encode(1, 'before') . WsFrame::encode(9, 'ping')
	. WsFrame::encode(8, pack 'n', 1000) . WsFrame::encode(1, 'after')
	. WsFrame::encode(9, 'after') . WsFrame::encode(8, pack 'n', 1001));
is(join(' ', map { $s->read } 1 .. 4), 'text:before pong:ping close:1000 eof',
	'frames around the close');

# The server closes TCP although the client does not.

$s = $t->ws('/ws')->close(1000);
is(join(' ', $s->read, $s->end(2)), 'close:1000 eof', 'end comes at once');

$t->finish;

###############################################################################

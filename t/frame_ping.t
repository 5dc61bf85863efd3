#!/usr/bin/perl

# Tests for WebSocket: pings and pongs.

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

is($s->ping($_)->read, "pong:$_", 'payload of ' . length($_) . ' bytes')
	for '', 'x', 'hello', "\xff\x00\xfe", 'y' x 124, 'z' x 125;

# Pongs nobody asked for are heartbeats, and are not answered.

$s->pong('')->pong('unasked')->pong('p' x 125);
is($s->text('after')->read, 'text:after', 'unasked pongs');

# A burst may be answered as a whole, but its last ping must be.

$s->write(join '', map { WsFrame::encode(9, $_) } 1 .. 2000);
my $last = '';
$last = $s->read until $last eq 'pong:2000' || $last =~ /^(?:eof|reset|time)/;
is($last, 'pong:2000', 'the last of many pings');

# Frames of the server are not pings of its own unless asked for.

ok($s->silent(0.2), 'nothing more');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: oversized frames are refused by their header, at no cost.

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

    location /one {
        ws_echo;
        ws_max_message 1;
    }
}

EOF

###############################################################################

my $worker = ($t->workers)[0];
my $max = 1 << 20;

$t->ws('/ws')->text('warm')->read;
my $before = $t->peak($worker);

for my $length ($max + 1, 1 << 31, 1 << 32, (1 << 32) + 1, 1 << 40, 1 << 62,
	~0 >> 1)
{
	for my $opcode (1, 2) {
		$t->closes($t->ws('/ws')->frame($opcode, '', length => $length), 1009,
			sprintf 'opcode %d, length 0x%x', $opcode, $length);
	}

	my $s = $t->ws('/ws')->text('x', fin => 0);
	$t->closes($s->continuation('', length => $length), 1009,
		sprintf 'continuation, length 0x%x', $length);
}

# Promises of what is allowed cost nothing either.

my @waiting = map { $t->ws('/ws')->frame(2, 'some', length => $max) } 1 .. 100;
is($t->ws('/ws')->text('x')->read, 'text:x', 'others are served');

$t->uses($t->peak($worker) - $before, 8 << 10,
	'memory follows what is received');

$_->hang_up for @waiting;

# The smallest limit.

is($t->ws('/one')->text('')->read, 'text:', 'nothing, with a limit of 1');
is($t->ws('/one')->text('1')->read, 'text:1', 'one byte, with a limit of 1');
is($t->ws('/one')->ping('p' x 125)->read, 'pong:' . 'p' x 125,
	'the limit is not for control frames');
$t->closes($t->ws('/one')->text('', length => 2), 1009, 'above a limit of 1');

$t->finish;

###############################################################################

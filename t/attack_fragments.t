#!/usr/bin/perl

# Tests for WebSocket under attack: messages of a hundred thousand fragments.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_max_fragments 100000;
    }

    location /default {
        ws_echo;
    }
}

EOF

###############################################################################

use constant COUNT => 100_000;
use constant TIMES => 3;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

my $others = Bystander->new($t);

# Sends a message in pieces of the stream, and says what it has cost.

sub attack {
	my ($name, $expected, $seconds, $size, $stream) = @_;

	my $s = $t->ws('/ws');
	$others->ask;
	my ($peak, $cpu) = ($t->peak($worker), cpu());
	my $message;
	for (1 .. TIMES) {
		# Others are served in the middle of it, before the last piece.
		for (my $i = 0; $i < length $stream; $i += $size) {
			$others->ask if $i + $size >= length $stream;
			$s->write(substr $stream, $i, $size);
		}
		$message = $s->message(20);
	}
	my $grown = $t->peak($worker) - $peak;
	$cpu = (cpu() - $cpu) / TIMES;
	note("$name: memory $grown kB, CPU $cpu s");

	ok($message eq $expected, "$name: the message")
		or diag(substr $message, 0, 100);
	$t->uses($grown, 1024, "$name: kilobytes of memory");
	cmp_ok($cpu, '<', $seconds * $slow, "$name: seconds of CPU");
	return $s;
}

sub fragments {
	my ($count, $payload, $between) = @_;
	my $mask = 'mask';
	return WsFrame::encode(1, $payload, fin => 0)
		. ($between . WsFrame::encode(0, $payload, fin => 0)) x ($count - 2)
		. $between . WsFrame::encode(0, $payload);
}

$t->ws('/ws')->text('warm')->read;
my $part = 64 << 10;

attack('one byte each', 'text:' . 'x' x COUNT, 0.2, $part,
	fragments(COUNT, 'x', ''));
attack('nothing in them', 'text:', 0.2, $part, fragments(COUNT, '', ''));
my $s = attack('pongs between them', 'text:' . 'x' x 900, 0.2, $part,
	fragments(900, 'x', WsFrame::encode(10, '')));
is($s->text('and on')->read, 'text:and on', 'the socket goes on');

# Each in packets of its own: the server wakes up for every three bytes.

attack('in packets of 3 bytes', 'text:' . 'x' x 5000, 1, 3,
	fragments(5000, 'x', ''));

# One too many, and the default.

$s = $t->ws('/ws')->write(fragments(COUNT + 1, 'x', ''));
$t->closes($s, 1008, 'one too many', 'too many fragments');

my $peak = $t->peak($worker);
$s = $t->ws('/default');
$s->write(WsFrame::encode(1, 'x', fin => 0)
	. WsFrame::encode(0, 'x', fin => 0) x 1023);
ok($s->silent(0.1), '1024 by default');
$t->closes($s->write(WsFrame::encode(0, 'x', fin => 0) x COUNT), 1008,
	'no more by default');
$t->uses($t->peak($worker) - $peak, 256, 'kilobytes of memory');
$others->served;

$t->finish;

###############################################################################

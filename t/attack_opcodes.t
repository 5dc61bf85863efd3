#!/usr/bin/perl

# Tests for WebSocket under attack: every first byte of a frame, in every state.

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

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 2048;');

server {
    listen 127.0.0.1:%%PORT%%;

    location /plain {
        ws_echo;
    }

    location /deflate {
        ws_echo;
        ws_compression on;
    }
}

EOF

###############################################################################

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

my @offer = (headers => ['Sec-WebSocket-Extensions: permessage-deflate']);
my %connect = (
	'plain' => sub { $t->ws('/plain') },
	'not agreed' => sub { $t->ws('/plain', @offer) },
	'not offered' => sub { $t->ws('/deflate') },
	'compressed' => sub { $t->ws('/deflate', @offer) },
);

# What RFC 6455 says (5.2, 5.4, 5.5), and RFC 7692 (6) where it was agreed on.

sub verdict {
	my ($byte, $inside, $compressed) = @_;
	my ($fin, $rsv1, $rest, $opcode) = ($byte >> 7, $byte >> 6 & 1,
		$byte >> 4 & 3, $byte & 15);

	return 1002 if $rest || $opcode > 2 && $opcode < 8 || $opcode > 10;
	return 1002 if $rsv1 && (!$compressed || $opcode == 0 || $opcode > 7);
	return 1002 if $opcode > 7 && !$fin;
	return 1002 if $opcode == 0 && !$inside
		|| $inside && ($opcode == 1 || $opcode == 2);
	return 'close:' if $opcode == 8;
	return 'pong:' if $opcode == 9;
	return 'nothing' if $opcode == 10 || !$fin;
	return 'text:ab' if $inside;
	# One byte of zero is an empty message (RFC 7692, 7.2.3.6).
	return ($opcode == 1 ? 'text:' : 'binary:') . ($rsv1 ? '' : "\0");
}

# An end that is expected, or a message behind it.

sub outcome {
	my ($s, $expected, $inside) = @_;
	if ($expected eq 'nothing') {
		$s->ping('still here');
		return $s->read eq 'pong:still here' ? 'nothing' : 'not nothing';
	}
	return $expected eq '1002' ? ($s->read_close)[0] // 'no close' : $s->read;
}

my $others = Bystander->new($t, path => '/plain');
my ($peak, $cpu, $count) = (0, 0, 0);

for my $name (sort keys %connect) {
	my $compressed = $name eq 'compressed';

	for my $inside (0, 1) {
		my (%expected, %got);

		for my $byte (0 .. 255) {
			my $key = sprintf '%02x', $byte;
			my $expected = verdict($byte, $inside, $compressed);
			my $opcode = $byte & 15;
			my $payload = $opcode > 7 ? '' : $inside ? 'b' : "\0";
			my $s = $connect{$name}->();
			$s->write(($inside ? WsFrame::encode(1, 'a', fin => 0) : '')
				. chr($byte) . substr WsFrame::encode(0, $payload), 1);
			$expected{$key} = $expected;
			$got{$key} = outcome($s, $expected, $inside);
			$s->hang_up;
			$others->ask unless $count++ % 64;
		}

		is_deeply(\%got, \%expected, "$name, "
			. ($inside ? 'in a message' : 'between messages'));
		($peak, $cpu, $count) = ($t->peak($worker), cpu(), 0) unless $peak;
	}
}

my $grown = $t->peak($worker) - $peak;
$cpu = cpu() - $cpu;
note("$count sockets: memory $grown kB, CPU $cpu s");
$t->uses($grown, 1024, 'kilobytes of memory');
cmp_ok($cpu, '<', 2 * $slow, 'seconds of CPU');
$others->served;

$t->finish;

###############################################################################

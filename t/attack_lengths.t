#!/usr/bin/perl

# Tests for WebSocket under attack: lengths up to 2^64, announced and never sent.

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

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 1024;');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }

    location /largest {
        ws_echo;
        ws_max_message 1g;
    }
}

EOF

###############################################################################

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

my @lengths = map { my $n = $_; map { [2 ** $n + $_, $n] } -1, 0, 1 }
	7, 8, 15, 16, 20, 24, 30, 31, 32, 33, 40, 48, 62;
push @lengths, [~0 >> 1, 63], [1 << 63, 63], [(1 << 63) + 1, 63], [~0 - 1, 64],
	[~0, 64];

# What is too big is closed with 1009, what is no length with 1002, and the
# rest waits for its payload.

sub verdict {
	my ($length, $max) = @_;
	return $length > ~0 >> 1 ? 1002 : $length > $max ? 1009 : 'waits';
}

$t->ws($_)->text('warm')->read for '/ws', '/largest';
my $others = Bystander->new($t);
my ($peak, $cpu) = ($t->peak($worker), cpu());
my $sockets = 0;

for (['/ws', 1 << 20], ['/largest', 1 << 30]) {
	my ($path, $max) = @$_;
	my (%expected, %got);

	for my $length (map { $_->[0] } @lengths) {
		for my $start ('', WsFrame::encode(2, '', fin => 0)) {
			my $s = $t->ws($path);
			$s->write($start . WsFrame::encode(length $start ? 0 : 2,
				'some', length => $length));
			my $name = sprintf '0x%x', $length;
			$expected{$name} = verdict($length, $max);
			$got{$name} = $expected{$name} eq 'waits'
				? ($s->silent(0.01) ? 'waits' : $s->read)
				: ($s->read_close)[0];
			$sockets++;
		}
		$others->ask;
	}

	is_deeply(\%got, \%expected, "$path: verdicts");
}

my $grown = $t->peak($worker) - $peak;
$cpu = cpu() - $cpu;
note(sprintf '%d sockets: memory %.1f kB each, CPU %.2f s in all', $sockets,
	$grown / $sockets, $cpu);

# The sockets of a round are gone when the next one comes.
$t->uses($grown, 2048, 'kilobytes of memory at the most');
cmp_ok($cpu, '<', 1 * $slow, 'seconds of CPU');

# All at once.

my $rss = $t->rss($worker);
my @attackers = map { $t->ws('/largest')->frame(2, 'some', length => 1 << 30) }
	1 .. 400;
$others->served;
$grown = $t->rss($worker) - $rss;
note(sprintf '400 gigabytes announced: memory %.1f kB each', $grown / 400);
cmp_ok($grown, '<', 12 * 400 * $slow, 'kilobytes for 400 gigabytes announced');

$t->finish;

###############################################################################

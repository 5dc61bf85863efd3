#!/usr/bin/perl

# Tests for WebSocket under attack: a million pings.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use NginxWs;
use Test::More;
use Time::HiRes qw/time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 2048;');

server {
    listen 127.0.0.1:%%PORT%% sndbuf=64k rcvbuf=64k;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

use constant SOCKETS => 500;
use constant EACH => 2000;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

$t->ws('/ws')->text('warm')->ping('')->read;
my $others = Bystander->new($t);

# One client that sends as many as it can, and reads all answers.  Behind the
# first thousand a socket is read at a thousand frames a second, and no faster.

for (['pings', WsFrame::encode(9, 'p' x 20), 22],
	['pongs', WsFrame::encode(10, 'p' x 20), 0])
{
	my ($name, $frame, $answer) = @$_;
	my $s = $t->ws('/ws', sndbuf => 64 << 10);
	my ($rss, $cpu, $start) = ($t->rss($worker), cpu(), time);

	$s->{out} = $frame x 1_000_000;
	while (time - $start < 3) {
		$s->pump(sub { !length $s->{out} }, timeout => 0.3 / $slow);
		$others->ask;
	}

	my $took = time - $start;
	my $served = $answer ? length($s->{in}) / $answer : 0;
	my $taken = $s->{written} / length $frame;
	my $grown = $t->rss($worker) - $rss;
	$cpu = cpu() - $cpu;
	note(sprintf '%s: %d taken, %d answered in %.1f s; memory %d kB, '
		. 'CPU %.0f%%', $name, $taken, $served, $took, $grown,
		100 * $cpu / $took);

	cmp_ok($served, '<', 1100 + 1000 * $took, "$name: no more are answered");
	cmp_ok($served, '>', 1000, "$name: but some are") if $answer;
	# What is not read stays in the buffers of the kernel, and one of ours.
	cmp_ok($taken, '<', 1100 + 1000 * $took + (512 << 10) / length $frame,
		"$name: nor taken from the client");
	$t->uses($grown, 512, "$name: kilobytes of memory");
	cmp_ok($cpu / $took, '<', 0.25 * $slow, "$name: part of a processor");
	is($s->{ended}, '', "$name: the socket stays");
}

# A million from many clients, each a second above the burst.

my $burst = WsFrame::encode(9, '') x EACH;
my @attackers = map { $t->ws('/ws') } 1 .. SOCKETS;
my ($rss, $cpu, $start) = ($t->rss($worker), cpu(), time);
$_->write($burst) for @attackers;
$others->ask;
for my $s (@attackers) {
	$s->pump(sub { length $s->{in} >= 2 * EACH }, timeout => 30);
	$others->ask if length $s->{in} && time - $start < 1;
}
my $took = time - $start;
my $grown = $t->rss($worker) - $rss;
$cpu = cpu() - $cpu;
note(sprintf 'a million: %.1f s, memory %.1f kB a socket, CPU %.2f s', $took,
	$grown / SOCKETS, $cpu);

is((grep { $_->{in} eq "\x8a\x00" x EACH } @attackers), SOCKETS,
	'each is answered');
cmp_ok($took, '>', 0.9, 'not before its time');
$t->uses($grown, 20 * SOCKETS, 'kilobytes of memory');
cmp_ok($cpu, '<', 5 * $slow, 'seconds of CPU');
$_->{in} = '' for @attackers;
is((grep { $_->text('x')->read ne 'text:x' } @attackers), 0, 'all go on');
$others->served;

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket under attack: clients that never read.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use NginxWs;
use Test::More;
use Time::HiRes qw/sleep time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 1024;');

log_format code "$uri $ws_close_code";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k rcvbuf=16k;

    ws_send_queue 64k;

    location /ws {
        ws_echo;
    }

    location /deaf {
        ws_echo;
        ws_send_timeout 4s;
    }
}

EOF

###############################################################################

use constant COUNT => 40;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

# Small messages, large ones and pings, from clients that take nothing.

my @floods = map { $_ x (1 + (1 << 20) / length $_) }
	WsFrame::encode(1, ''), WsFrame::encode(2, 'x' x 1000),
	WsFrame::encode(2, 'x' x 300_000), WsFrame::encode(9, 'x' x 125);

my $others = Bystander->new($t);
my $start = time;
my @attackers = map { $t->ws('/deaf', rcvbuf => 4096, sndbuf => 4096) }
	1 .. COUNT;
my ($rss, $cpu) = ($t->rss($worker), cpu());
my $taken = 0;
for (0 .. COUNT - 1) {
	$taken += $attackers[$_]->stuff($floods[$_ % @floods], 0.02);
	$others->ask unless $_ % 8;
}
my $grown = $t->rss($worker) - $rss;
my $spent = cpu() - $cpu;
note(sprintf '%d clients: %d kB taken from each; memory %d kB each, '
	. 'CPU %.2f s in all', COUNT, $taken / COUNT / 1024, $grown / COUNT,
	$spent);

# What is queued is at most the queue and one message.
$t->uses($grown, (64 + 300 + 64) * COUNT, 'kilobytes of memory');
cmp_ok($spent, '<', 2 * $slow, 'seconds of CPU');
is((grep { $_->{broken} } @attackers), 0, 'all are still there');

# While they wait they cost nothing, and nobody else waits.

$cpu = cpu();
for (1 .. 20) {
	$others->ask;
	sleep 0.05;
}
$spent = cpu() - $cpu;
note("waiting: CPU $spent s in a second");
$others->served;
cmp_ok($spent, '<', 0.2 * $slow, 'no busy loop');

# Then they are dropped, and what they held can be used again.

my @log;
$t->wait_for(sub { (@log = grep { m!^/deaf! } $t->access_log) >= COUNT });
is((grep { $_ eq '/deaf 1008' } @log), COUNT, 'all are dropped with 1008');
cmp_ok(time - $start, '>=', 3.9, 'not before ws_send_timeout');

@attackers = map { $t->ws('/deaf', rcvbuf => 4096, sndbuf => 4096) } 1 .. COUNT;
$attackers[$_]->stuff($floods[$_ % @floods], 0.02) for 0 .. COUNT - 1;
my $again = $t->rss($worker) - $rss;
note(sprintf 'once more: memory %d kB each', $again / COUNT);
$t->uses($again, 1.25 * $grown + 1024, 'kilobytes after a second attack');

$t->finish;

###############################################################################

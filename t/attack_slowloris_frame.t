#!/usr/bin/perl

# Tests for WebSocket under attack: frames that arrive a byte now and then.

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

log_format code "$uri $ws_close_code $ws_close_reason";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    ws_close_timeout 1s;

    location /ws {
        ws_echo;
    }

    location /idle {
        ws_echo;
        ws_idle_timeout 2s;
    }

    location /old {
        ws_echo;
        ws_idle_timeout 2s;
        ws_max_lifetime 3s;
        ws_max_fragments 100000;
    }
}

EOF

###############################################################################

use constant COUNT => 240;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

my $others = Bystander->new($t);

# In a header, in a payload, in a fragmented message, in a control frame: a
# byte is no sign of life, so all that counts is the time since the handshake.

my @streams = (
	WsFrame::encode(2, 'x' x 70_000), WsFrame::encode(2, 'x' x (1 << 20)),
	WsFrame::encode(1, 'x' x 60_000, fin => 0), WsFrame::encode(9, 'x' x 125),
);

my $start = time;
my @attackers = map { $t->ws('/idle') } 1 .. COUNT;
my ($rss, $cpu) = ($t->rss($worker), cpu());
my $sent = 0;

while (grep { !$_->{ended} } @attackers) {
	last if time - $start > 15 * $slow;
	for my $i (grep { !$attackers[$_]{ended} } 0 .. $#attackers) {
		$attackers[$i]->write(substr $streams[$i % @streams], $sent, 1);
	}
	$sent++;
	$others->ask;
	sleep 0.08;
}

my $took = time - $start;
my $grown = $t->rss($worker) - $rss;
$cpu = cpu() - $cpu;
note(sprintf 'closed after %.1f s and %d bytes each; memory %.1f kB each, '
	. 'CPU %.2f s in all', $took, $sent, $grown / COUNT, $cpu);

is((grep { !$_->{ended} } @attackers), 0, 'all are closed');
cmp_ok($took, '>=', 1.9, 'not before ws_idle_timeout');
cmp_ok($took, '<', 3 + 10 * $slow, 'not long after ws_close_timeout');
$t->uses($grown, 4 * COUNT, 'kilobytes of memory');
cmp_ok($cpu, '<', 2 * $slow, 'seconds of CPU');
is((grep { (($_->read_close)[0] // 0) != 1001 } @attackers), 0, 'with 1001');

my @log = grep { m!^/idle! } $t->logged(COUNT + 1);
is((grep { $_ eq '/idle 1001 idle timeout' } @log), COUNT, 'code in the log');

# The announced megabytes are not reserved.

@attackers = map { $t->ws('/ws')->write(substr $streams[1], 0, 20) } 1 .. COUNT;
$rss = $t->rss($worker);
$_->write('x') for @attackers;
$others->served;
cmp_ok($t->rss($worker) - $rss, '<', 1 * COUNT * $slow,
	'kilobytes for megabytes that were announced');
$_->hang_up for @attackers;

# Whole fragments are signs of life, but do not make a message live forever.

$start = time;
my $s = $t->ws('/old')->text('x', fin => 0);
while (!length $s->{in} && time - $start < 10 * $slow) {
	$s->continuation('x', fin => 0);
	sleep 0.1;
}
is(join(' ', $s->read_close), '1001 lifetime', 'fragments for a lifetime');
cmp_ok(time - $start, '>=', 2.9, 'not before ws_max_lifetime');

$t->finish;

###############################################################################

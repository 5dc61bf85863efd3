#!/usr/bin/perl

# Tests for WebSocket under attack: a burst of connections from several addresses.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

# ATTACK_CONNECTIONS is their number: 100,000 make ten workers and ten clients
# of 10,000 each, which stay below the usual limit of open files.

use Bystander;
use Crowd;
use List::Util qw/sum/;
use NginxWs;
use POSIX qw/ceil/;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $count = $ENV{ATTACK_CONNECTIONS} // 2000;
my $parts = ceil($count / Crowd::part());

# The kernel spreads the connections by chance.  And nginx closes those that
# have said nothing yet when less than a sixteenth of the places are free.
my $room = int($count / $parts * 1.2) + 200;

my $t = NginxWs->new->run(<<'EOF',

access_log off;

server {
    listen 127.0.0.1:%%PORT%% backlog=65535 reuseport;

    location /ws {
        ws_echo;
        ws_idle_timeout 10m;
    }
}

EOF
	events => "worker_connections $room;", workers => $parts,
	main => Crowd::limit($room));

###############################################################################

my $slow = $NginxWs::slow;
alarm 150 * $slow * $parts;
ok($t->wait_for(sub { $t->workers == $parts }), 'workers');
my @workers = $t->workers;

sub cpu { return sum map { $t->cpu($_) } @workers }
sub memory { return sum map { $t->rss($_) } @workers }
sub descriptors { return sum map { $t->descriptors($_) } @workers }

my $crowd = Crowd->new($t, count => $count, seconds => 40 * $slow * $parts);
$count = $crowd->count;

$t->ws('/ws')->text('warm')->close(1000)->end for 1 .. 10 * $parts;
# A new one waits for those that have come before it.
my $others = Bystander->new($t, seconds => 30 * $parts);
my $before;
$t->wait_for(sub { my $n = $before // 0; ($before = descriptors()) == $n });
my ($rss, $cpu) = (memory(), cpu());

my ($got, $took) = $crowd->phase('connect', sub { $others->ask });
my $grown = (memory() - $rss) / $count;
$cpu = (cpu() - $cpu) / $count;
note(sprintf '%d connections in %.1f s; memory %.1f kB, CPU %.3f ms each',
	$count, $took, $grown, 1000 * $cpu);
is_deeply($got, {101 => $count}, 'all are accepted');
$t->uses($grown, 16, 'kilobytes of memory each');
cmp_ok($cpu, '<', 0.0005 * $slow, 'seconds of CPU each');
ok($t->wait_for(sub { descriptors() - $before == $count }),
	'all are there at once');

$cpu = cpu();
($got, $took) = $crowd->phase('echo', sub { $others->ask });
$cpu = (cpu() - $cpu) / $count;
note(sprintf 'an echo on each in %.1f s; CPU %.3f ms each', $took, 1000 * $cpu);
is_deeply($got, {hello => $count}, 'all are served');
$others->served;

my $start = time;
$crowd->phase('leave');
ok($t->wait_for(sub { descriptors() <= $before }, 30), 'all are gone')
	or diag(descriptors() - $before);
note(sprintf 'gone in %.1f s; memory then %.1f kB each', time - $start,
	(memory() - $rss) / $count);

# The next ones find the memory of the first.

my $peak = sum map { $t->peak($_) } @workers;
my @again = map { $t->ws('/ws') } 1 .. 200;
is((grep { $_->text('x')->read ne 'text:x' } @again), 0, 'new ones come');
$t->uses(sum(map { $t->peak($_) } @workers), $peak, 'without new memory');

is(join("\n", grep { !/\[(?:info|notice)\]/ } split /\n/, $t->error_log), '',
	'nothing worse than notice in the log');

$t->finish;

###############################################################################

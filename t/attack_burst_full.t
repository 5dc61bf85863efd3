#!/usr/bin/perl

# Tests for WebSocket under attack: a burst of more connections than there are
# places, and one that limit_conn keeps out.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

# ATTACK_CONNECTIONS is their number, as in attack_burst.t.

use Bystander;
use Crowd;
use List::Util qw/min sum/;
use NginxWs;
use POSIX qw/ceil/;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $count = $ENV{ATTACK_CONNECTIONS} // 2000;
my $places = $count < 20_000 ? int($count / 4) : 5000;
my $slow = $NginxWs::slow;

# An attack on a server with so many places, of which each address may take a
# part.  Returns the results, and the number of alerts in the log.

sub attack {
	my ($name, $limit, $places) = @_;

	my $t = NginxWs->new->run(<<"EOF",

access_log off;
# Those that are refused do not keep their place.
keepalive_timeout 0;
limit_conn_zone \$binary_remote_addr zone=address:1m;

server {
    listen 127.0.0.1:%%PORT%% backlog=65535;

    location /ws {
        ws_echo;
        ws_idle_timeout 10m;
        $limit
    }
}

EOF
		events => "worker_connections $places;",
		main => Crowd::limit($places + 100));
	alarm 300 * $slow * ceil($count / Crowd::part());
	$t->expect(qr/worker_connections are not enough/);

	my $worker = ($t->workers)[0];
	my $crowd = Crowd->new($t, count => $count, seconds => 30 * $slow);
	my $count = $crowd->count;
	my @old = map { $t->ws('/ws') } 1 .. 20;
	$_->text('warm')->read for @old;
	my $before = $t->descriptors($worker);
	my ($rss, $cpu) = ($t->rss($worker), $t->cpu($worker));
	my ($rounds, $wrong) = (0, 0);

	# Those who are in go on.
	my $go_on = sub {
		$rounds++;
		$wrong += grep { $_->text('old')->read ne 'text:old' } @old;
	};
	my ($got, $took) = $crowd->phase('connect', $go_on);
	$go_on->();
	my $grown = $t->rss($worker) - $rss;
	$cpu = $t->cpu($worker) - $cpu;
	my $alerts = () = $t->error_log =~ /^.*\[alert\]/mg;
	note("$name: ", join(', ', map { "$_ $got->{$_}" } sort keys %$got),
		sprintf ' in %.1f s; memory %d kB, CPU %.3f ms a connection,'
		. ' %d alerts, error log %d kB', $took, $grown,
		1000 * $cpu / $count, $alerts, (-s $t->dir . '/error.log') / 1024);

	is(sum(values %$got), $count, "$name: all have a result");
	is($wrong, 0, "$name: sockets that are in are served meanwhile");
	$t->uses($grown, 16 * $places, "$name: kilobytes of memory");
	cmp_ok($cpu, '<', 0.001 * $count * $slow, "$name: seconds of CPU");

	# The attackers that are in are served as well, and when they leave there
	# is room at once.
	my ($echoes) = $crowd->phase('echo', $go_on);
	is($echoes->{hello}, $got->{101}, "$name: all that are in are served")
		if $got->{101};
	my $start = time;
	$crowd->phase('leave');
	ok($t->wait_for(sub { eval { $t->ws('/ws') } }, 30),
		"$name: a new one comes in");
	note(sprintf '%s: a new one after %.2f s', $name, time - $start);
	ok($t->wait_for(sub { $t->descriptors($worker) <= $before }, 30),
		"$name: all are gone");
	note(sprintf '%s: all gone after %.2f s', $name, time - $start);
	is((grep { $_->text('old')->read ne 'text:old' } @old), 0,
		"$name: sockets that were in are still there");

	my @new = map { $t->ws('/ws', local => "127.1.0.$_") } 1 .. 200;
	is((grep { $_->text('x')->read ne 'text:x' } @new), 0,
		"$name: many new ones come in");
	is(join("\n", grep { !/\[(?:info|notice)\]|limiting connections/
			&& !/worker_connections are not enough/ }
			split /\n/, $t->error_log), '', "$name: log");
	subtest $name => sub { $t->finish };
	return ($got, $alerts);
}

###############################################################################

my ($got, $alerts) = attack('full', '', $places);
cmp_ok($got->{101}, '<=', $places, 'no more than there are places');
cmp_ok($got->{101}, '>', $places / 2, 'but most of them');
cmp_ok($alerts, '<=', $count, 'an alert for each of the others at the most');

# Addresses are many, but fewer than places.

my $addresses = Crowd::ADDRESSES * ceil($count / Crowd::part());
$places = min(2 * $count, Crowd::part());
($got, $alerts) = attack('limited', 'limit_conn address 25;', $places);
is($got->{101}, 25 * $addresses, 'limit_conn: so many from each address');
is($alerts, 0, 'limit_conn: no alerts') if $places > $count;

done_testing();

###############################################################################

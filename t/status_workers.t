#!/usr/bin/perl

# Tests for ws_status: the counters of several workers, reloads, workers that
# die.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Metrics;
use NginxWs;
use Test::More;
use Time::HiRes qw/sleep/;

###############################################################################

Example::setup();

# The kernel spreads connections over the workers; the handshake says to which.

my $http = <<'EOF';

ws_zone main 64k;

add_header X-Worker $pid always;

server {
    listen 127.0.0.1:%%PORT%% reuseport;

    ws_drain 10s;
    ws_close_timeout 300ms;

    location = /status { ws_status; }
    location / { ws_echo; }
}

EOF

my $t = NginxWs->new;

# The harness has one worker by default: here it is three.

sub configure {
	$t->write_file('nginx.conf', $t->configuration($http)
		=~ s/worker_processes 1;/worker_processes 3;/r);
}

my @killed;

sub slay {
	my (@workers) = @_;
	kill 'KILL', @workers;
	$t->gone($_) for @workers;
	push @killed, @workers;
}

configure();
$t->start('nginx.conf');
$t->wait_for(sub { $t->workers == 3 });

sub zone { Metrics::json($t)->{main} }

sub zone_is {
	my ($name, $want) = @_;
	my $seen = '';
	$t->wait_for(sub {
		my $zone = zone();
		$seen = join ' ', $zone->{sockets}{active}, $zone->{sockets}{total},
			$zone->{messages}{in}{text}, $zone->{draining_workers};
		return $seen eq $want;
	}, 15);
	is($seen, $want, $name);
}

# Open sockets: active total messages draining.

###############################################################################

my @sockets = map { $t->ws('/') } 1 .. 60;
my %of;
push @{$of{$_->header('X-Worker')}}, $_ for @sockets;
is(keys %of, 3, 'sockets in three workers');
zone_is('all sockets', '60 60 0 0');

$_->text('x')->message for @sockets;
zone_is('all messages', '60 60 60 0');

# Whoever is asked says the same.

my (%asked, %answers);
for (1 .. 100) {
	my $response = Metrics::get($t, '/status');
	$asked{$response->header('X-Worker')}++;
	$answers{$response->body}++;
	last if keys %asked == 3 && $_ > 10;
}
is(keys %asked, 3, 'three were asked');
is(keys %answers, 1, 'and said the same');

# A worker is killed.  Its sockets are gone, what it counted is not.

my ($victim, @others) = sort keys %of;
my $lost = @{$of{$victim}};
slay($victim);
is($of{$victim}[0]->read, 'eof', 'its client sees no Close');
ok($t->wait_for(sub { $t->workers == 3 }), 'there is another');
zone_is('counts are kept', (60 - $lost) . ' 60 60 0');

@sockets = map { @{$of{$_}} } @others;
my @more = map { $t->ws('/') } 1 .. 30;
my %workers = map { $_->header('X-Worker') => 1 } @more;
$_->text('y')->message for @more;
is(keys %workers, 3, 'the new one works');
zone_is('it counts', (90 - $lost) . ' 90 90 0');

# All are killed at once, more than once.

for my $round (1 .. 3) {
	slay($t->workers);
	ok($t->wait_for(sub { $t->workers == 3 }), "killed $round times");
}
zone_is('killed ones leave no sockets behind', '0 90 90 0');

# A reload: the old workers drain and are counted until they are gone.

@sockets = map { $t->ws('/') } 1 .. 30;
%workers = map { $_->header('X-Worker') => 1 } @sockets;
is(keys %workers, 3, 'three workers again');
$_->text('z')->message for @sockets;
zone_is('before a reload', '30 120 120 0');

my @old = $t->reload;
zone_is('three workers drain', '30 120 120 3');
my @new = map { $t->ws('/') } 1 .. 10;
$_->text('new')->message for @new;
is(zone()->{messages}{in}{text}, 130, 'new sockets are counted too');

$_->close(1001)->end for @sockets;
ok($t->gone($_), 'the old ones leave') for @old;
zone_is('after the reload', '10 130 130 0');
is(zone()->{closed}{client}{1001} + (zone()->{closed}{server}{1001} // 0), 30,
	'ends are counted');

# A dozen reloads while sockets come and go: slots are taken over.

for my $round (1 .. 12) {
	my $s = $t->ws('/');
	$s->text($round)->message;
	my @old = $t->reload;
	$s->close(1000)->end;
}
$_->hang_up for @new;
zone_is('after twelve reloads', '0 142 142 0');

# The end of a worker that drains is the end of its draining.

@sockets = map { $t->ws('/') } 1 .. 30;
@old = $t->reload;
zone_is('three drain', '30 172 142 3');
slay(@old);
zone_is('they are killed', '0 172 142 0');

# What finish() looks for, without the kills.

ok($t->stop, 'nginx stops');
alarm 0;
is($t->{status}, 0, 'nginx exits with 0');
is_deeply([sort $t->error_log =~ /\[(?:alert|emerg)\] \d+#\d+: (.*)/g],
	[sort map { "worker process $_ exited on signal 9" } @killed],
	'no other alerts');
unlike($t->error_log . $t->read_file('stderr.log'), qr/panicked at|Sanitizer/,
	'no crashes');

done_testing();

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket under attack: a burst of connections from several addresses.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

# ATTACK_CONNECTIONS is their number: 100,000 make ten workers and ten clients
# of 10,000 each, which stay below the usual limit of open files.

use Errno qw/EAGAIN EINPROGRESS/;
use IO::Handle;
use List::Util qw/sum/;
use NginxWs;
use POSIX qw/_exit ceil/;
use Socket qw/:DEFAULT SOCK_NONBLOCK SO_LINGER inet_aton pack_sockaddr_in/;
use Test::More;
use Time::HiRes qw/sleep time/;
use WsFrame;

###############################################################################

my $count = $ENV{ATTACK_CONNECTIONS} // 2000;
my $clients = ceil($count / 10_000);
my $each = ceil($count / $clients);
$count = $clients * $each;

# The kernel spreads the connections by chance.  And nginx closes those that
# have said nothing yet when less than a sixteenth of the places are free.
my $room = int($each * 1.2) + 200;

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
	events => "worker_connections $room;", workers => $clients,
	main => "worker_rlimit_nofile $room;");

###############################################################################

# Each address has some 28,000 ports.
use constant ADDRESSES => 8;

my $slow = $NginxWs::slow;
my $alarm = 120 * $slow * $clients;
alarm $alarm;
ok($t->wait_for(sub { $t->workers == $clients }), 'workers');
my @workers = $t->workers;

sub cpu {
	return sum map {
		open my $stat, '<', "/proc/$_/schedstat" or die "no worker\n";
		(split ' ', <$stat>)[0] / 1e9;
	} @workers;
}

sub descriptors {
	return sum map {
		opendir my $dir, "/proc/$_/fd" or die "no worker\n";
		scalar(() = readdir $dir);
	} @workers;
}

sub memory { return sum map { $t->rss($_) } @workers }

###############################################################################
# A client: a process with a part of the connections.

my ($start, @sockets);

# Does something with each socket until all are done, or time is up.

sub all {
	my ($done) = @_;
	my $deadline = time + 40 * $slow;
	my @left = @sockets;

	while (@left && time < $deadline) {
		@left = grep { !$done->($_) } @left;
		sleep 0.001 if @left;
	}
}

sub sends {
	my ($bytes) = @_;
	return sub {
		my $n = syswrite $_[0]{socket}, $bytes;
		return 1 if defined $n && $n == length $bytes;
		return if !defined $n && $! == EAGAIN;
		$_[0]{broken} = 1;
	};
}

sub receives {
	my ($expected) = @_;
	return sub {
		my ($s) = @_;
		my $n = sysread $s->{socket}, $s->{in}, 4096, length $s->{in};
		return if !defined $n && $! == EAGAIN;
		return $s->{broken} = 1 unless $n;
		return unless $s->{in} =~ $expected;
		$s->{in} = '';
		return ++$s->{good};
	};
}

# Each phase returns how many sockets are as they should be.

my %phases = (
	connect => sub {
		my ($number) = @_;
		my $address = pack_sockaddr_in($t->port, inet_aton('127.0.0.1'));
		for my $i (1 .. $each) {
			socket my $socket, PF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0
				or die "socket $i: $!\n";
			my $own = '127.0.' . $number . '.' . (2 + $i % ADDRESSES);
			bind $socket, pack_sockaddr_in(0, inet_aton($own))
				or die "bind $i: $!\n";
			connect $socket, $address or $! == EINPROGRESS
				or die "connect $i: $!\n";
			push @sockets, {socket => $socket, in => ''};
		}
		all(sends(WsClient::upgrade()));
		all(receives(qr/^HTTP\/1\.1 101 .*\r\n\r\n$/s));
		return scalar grep { ($_->{good} // 0) == 1 } @sockets;
	},
	echo => sub {
		all(sends(WsFrame::encode(1, 'hello')));
		all(receives(qr/^\x81\x05hello$/));
		return scalar grep { ($_->{good} // 0) == 2 } @sockets;
	},
	# At once, in one way or another.
	leave => sub {
		for my $i (0 .. $#sockets) {
			my $socket = $sockets[$i]{socket};
			syswrite $socket, WsFrame::encode(8, pack 'n', 1000)
				if $i % 3 == 0;
			setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)
				if $i % 3 == 1;
			close $socket;
		}
		return scalar @sockets;
	},
);

sub client {
	my ($number, $in, $out) = @_;
	$SIG{PIPE} = 'IGNORE';
	alarm $alarm;
	while (defined(my $phase = <$in>)) {
		chomp $phase;
		$out->print($phases{$phase}->($number), "\n");
		$out->flush;
	}
}

my @clients;

for my $number (0 .. $clients - 1) {
	pipe my $in, my $commands or die "pipe: $!\n";
	pipe my $answers, my $out or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		close $_ for $commands, $answers, map { values %$_ } @clients;
		eval { client($number, $in, $out) };
		print STDERR $@ if $@;
		_exit(0);
	}
	push @clients, {commands => $commands, answers => $answers};
}

# A phase of all clients at once: the number of good sockets, and its seconds.

sub phase {
	my ($name) = @_;
	my $start = time;
	for my $client (@clients) {
		$client->{commands}->print("$name\n");
		$client->{commands}->flush;
	}
	my @good = map { scalar readline $_->{answers} } @clients;
	return (sum(map { $_ // 0 } @good), time - $start);
}

###############################################################################

$t->ws('/ws')->text('warm')->close(1000)->end for 1 .. 10 * $clients;
my $before;
$t->wait_for(sub { my $n = $before // 0; ($before = descriptors()) == $n });
my ($rss, $cpu) = (memory(), cpu());

my ($good, $took) = phase('connect');
my $grown = (memory() - $rss) / $count;
$cpu = (cpu() - $cpu) / $count;
note(sprintf '%d connections in %.1f s; memory %.1f kB, CPU %.3f ms each',
	$count, $took, $grown, 1000 * $cpu);
is($good, $count, 'all are accepted');
cmp_ok($grown, '<', 16 * $slow, 'kilobytes of memory each');
cmp_ok($cpu, '<', 0.0005 * $slow, 'seconds of CPU each');
is(descriptors() - $before, $count, 'all are there at once');

$cpu = cpu();
($good, $took) = phase('echo');
$cpu = (cpu() - $cpu) / $count;
note(sprintf 'an echo on each in %.1f s; CPU %.3f ms each', $took, 1000 * $cpu);
is($good, $count, 'all are served');
is($t->ws('/ws')->text('me too')->close(1000)->read, 'text:me too',
	'and one more');

phase('leave');
$start = time;
ok($t->wait_for(sub { descriptors() <= $before }, 30), 'all are gone')
	or diag(descriptors() - $before);
note(sprintf 'gone in %.1f s', time - $start);

# The next ones find the memory of the first.

my $peak = sum map { $t->peak($_) } @workers;
my @again = map { $t->ws('/ws') } 1 .. 200;
is((grep { $_->text('x')->read ne 'text:x' } @again), 0, 'new ones come');
cmp_ok(sum(map { $t->peak($_) } @workers), '<=', $peak, 'without new memory');

$t->finish;

###############################################################################

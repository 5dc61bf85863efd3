package Crowd;

# Processes with many connections each, from many loopback addresses, that all
# do the same at the same time.

use warnings;
use strict;

use Errno qw/EAGAIN EINPROGRESS/;
use IO::Handle;
use IO::Select;
use POSIX qw/_exit ceil/;
use Socket qw/:DEFAULT SOCK_NONBLOCK SO_LINGER inet_aton pack_sockaddr_in/;
use Time::HiRes qw/sleep time/;

use WsClient;
use WsFrame;

###############################################################################

# Of a process: what its limit of open files allows.
my $files = POSIX::sysconf(&POSIX::_SC_OPEN_MAX);
use constant MOST => 10_000;

# Of a process; each has some 28,000 ports.
use constant ADDRESSES => 8;

sub part { $files < MOST + 100 ? $files - 100 : MOST }

# What an nginx needs in its configuration for so many open files.

sub limit { $_[0] > $files ? "worker_rlimit_nofile $_[0];" : '' }

# Options: count, seconds (of a phase).

sub new {
	my ($class, $t, %o) = @_;
	my $processes = ceil($o{count} / part());
	my $self = bless {
		port => $t->port, seconds => $o{seconds} // 40,
		each => ceil($o{count} / $processes), processes => [],
	}, $class;
	$self->{count} = $self->{each} * $processes;
	$self->start($_) for 0 .. $processes - 1;
	return $self;
}

sub count { $_[0]{count} }
sub processes { scalar @{$_[0]{processes}} }

sub start {
	my ($self, $number) = @_;
	pipe my $in, my $commands or die "pipe: $!\n";
	pipe my $answers, my $out or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		CORE::close $_ for $commands, $answers,
			map { values %$_ } @{$self->{processes}};
		eval { $self->serve($number, $in, $out) };
		print STDERR $@ if $@;
		_exit(0);
	}
	push @{$self->{processes}}, {commands => $commands, answers => $answers};
}

# A phase of all processes at once, and meanwhile something else.  Returns how
# many connections have come to which result, and the seconds it took.

sub phase {
	my ($self, $name, $meanwhile) = @_;
	my $start = time;
	my $waiting = IO::Select->new;
	for my $process (@{$self->{processes}}) {
		$process->{commands}->print("$name\n");
		$process->{commands}->flush;
		$waiting->add($process->{answers});
	}

	my %results;
	while ($waiting->count) {
		for my $answers ($waiting->can_read(0.02)) {
			my %part = split ' ', readline($answers) // '';
			$results{$_} += $part{$_} for keys %part;
			$waiting->remove($answers);
		}
		$meanwhile->() if $meanwhile && $waiting->count;
	}
	return (\%results, time - $start);
}

###############################################################################
# In a process.

sub serve {
	my ($self, $number, $in, $out) = @_;
	$SIG{PIPE} = 'IGNORE';
	alarm 0;
	while (defined(my $phase = <$in>)) {
		chomp $phase;
		my %results;
		$results{$_}++ for $self->can("do_$phase")->($self, $number);
		$out->print(join(' ', %results), "\n");
		$out->flush;
	}
}

# Each gets an address of its own process, a port, and sends its handshake.

sub do_connect {
	my ($self, $number) = @_;
	my $to = pack_sockaddr_in($self->{port}, inet_aton('127.0.0.1'));
	my $upgrade = WsClient::upgrade();
	for my $i (1 .. $self->{each}) {
		socket my $socket, PF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0
			or die "socket $i: $!\n";
		my $own = join '.', 127, 0, $number, 2 + $i % ADDRESSES;
		bind $socket, pack_sockaddr_in(0, inet_aton($own))
			or die "bind $i: $!\n";
		connect $socket, $to or $! == EINPROGRESS
			or die "connect $i: $!\n";
		my $s = {socket => $socket, in => ''};
		push @{$self->{sockets}}, $s;
		# On this machine, most are connected at once.
		$s->{sent} = syswrite $socket, $upgrade;
	}
	$self->sends($upgrade, grep { !$_->{sent} } @{$self->{sockets}});
	return $self->receives(qr/^HTTP\/1\.1 ([0-9]+) .*\r\n\r\n/s);
}

sub do_echo {
	my ($self) = @_;
	$self->sends(WsFrame::encode(1, 'hello'), @{$self->{sockets}});
	return $self->receives(qr/^\x81\x05(hello)$/);
}

# At once, in one way or another.

sub do_leave {
	my ($self) = @_;
	my $sockets = delete $self->{sockets};
	for my $i (0 .. $#$sockets) {
		my $socket = $sockets->[$i]{socket};
		syswrite $socket, WsFrame::encode(8, pack 'n', 1000) if $i % 3 == 0;
		setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)
			if $i % 3 == 1;
		CORE::close $socket;
	}
	return ('left') x @$sockets;
}

sub sends {
	my ($self, $bytes, @sockets) = @_;
	$self->all(sub {
		# What the server has said before it closed is still to be read.
		return defined syswrite($_[0]{socket}, $bytes) || $! != EAGAIN;
	}, @sockets);
}

# What each has got: what is in the parentheses, "closed", or "nothing".

sub receives {
	my ($self, $expected) = @_;
	my @sockets = @{$self->{sockets}};
	$_->{result} = 'nothing' for @sockets;
	$self->all(sub {
		my ($s) = @_;
		my $n = sysread $s->{socket}, $s->{in}, 4096, length $s->{in};
		return if !defined $n && $! == EAGAIN;
		return $s->{result} = 'closed' unless $n;
		return unless $s->{in} =~ $expected;
		$s->{result} = $1;
		$s->{in} = '';
		return 1;
	}, @sockets);
	return map { $_->{result} } @sockets;
}

# Does something with each of the sockets until all are done, or time is up.

sub all {
	my ($self, $done, @sockets) = @_;
	my $deadline = time + $self->{seconds};

	while (@sockets && time < $deadline) {
		@sockets = grep { !$done->($_) } @sockets;
		sleep 0.001 if @sockets;
	}
}

###############################################################################

1;

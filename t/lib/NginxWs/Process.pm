package NginxWs::Process;

# The nginx of a test: start, signals, workers, logs.

use warnings;
use strict;

use POSIX qw/WNOHANG/;
use Test::More;
use Time::HiRes qw/sleep time/;

# How much slower everything is under TEST_NGINX_WRAP.
our $slow = $ENV{TEST_NGINX_WRAP} ? 10 : 1;

my %running;

###############################################################################

sub run {
	my ($self, $http, %o) = @_;
	$self->write_file('nginx.conf', $self->configuration($http, %o));
	return $self->start('nginx.conf');
}

sub start {
	my ($self, $conf, @more) = @_;

	my $d = $self->{dir};
	my @wrap = split ' ', $ENV{TEST_NGINX_WRAP} // '';

	my $pid = $self->{pid} = fork // die "fork: $!\n";

	if (!$pid) {
		open STDERR, '>>', "$d/stderr.log";
		open STDOUT, '>&', \*STDERR;
		exec @wrap, $self->{binary}, '-p', "$d/", '-c', $conf,
			'-e', "$d/error.log", @more
			or POSIX::_exit(127);
	}

	$running{$pid} = $self;

	$self->wait_for(sub { $self->workers || !$self->alive });
	die "nginx did not start:\n" . $self->read_file('stderr.log')
		unless $self->alive && $self->workers;

	return $self;
}

sub alive {
	my ($self) = @_;
	return unless $self->{pid};
	return 1 unless waitpid($self->{pid}, WNOHANG) == $self->{pid};
	$self->{status} = $?;
	delete $running{$self->{pid}};
	$self->{pid} = 0;
	return;
}

# The process that signals go to: under a wrapper, not our own child.

sub master {
	my ($self) = @_;
	my ($pid) = $self->read_file('nginx.pid') =~ /^(\d+)\n/;
	return $pid;
}

sub workers {
	my ($self) = @_;
	my $master = $self->master or return;
	open my $file, '<', "/proc/$master/task/$master/children" or return;
	return split ' ', <$file> // '';
}

sub signal {
	my ($self, $name) = @_;
	kill $name, $self->master or die "kill -$name: $!\n";
}

# Returns the old workers, when all of them know that they are old.

sub reload {
	my ($self, $http, %o) = @_;

	$self->write_file('nginx.conf', $self->configuration($http, %o))
		if defined $http;

	my @old = $self->workers;
	$self->signal('HUP');

	for my $pid (@old) {
		$self->wait_for(sub { $self->error_log
				=~ /\b$pid#\d+: gracefully shutting down/ })
			or die "worker $pid did not notice the reload\n";
	}

	return @old;
}

# Whether a worker is gone in time.

sub gone {
	my ($self, $pid, $seconds) = @_;
	return $self->wait_for(sub { !-e "/proc/$pid" }, $seconds);
}

# Whether the master is gone in time.

sub stopped {
	my ($self, $seconds) = @_;
	return $self->wait_for(sub { !$self->alive }, $seconds);
}

sub stop {
	my ($self) = @_;
	return 1 unless $self->alive;

	$self->signal('TERM');
	return 1 if $self->stopped(5);

	kill 'KILL', $self->{pid}, $self->workers;
	$self->stopped;
	return;
}

# Resident memory of a process in kilobytes, now and at its highest.

sub rss { return status($_[1], 'VmRSS') }
sub peak { return status($_[1], 'VmHWM') }

sub status {
	my ($pid, $name) = @_;
	open my $file, '<', "/proc/$pid/status" or die "no process $pid\n";
	my ($kilobytes) = map { /^$name:\s+(\d+) kB/ } <$file>;
	return $kilobytes;
}

# The CPU time of a process, in seconds.

sub cpu {
	my ($self, $pid) = @_;
	open my $file, '<', "/proc/$pid/schedstat" or die "no process $pid\n";
	return (split ' ', <$file>)[0] / 1e9;
}

# The number of its open files.

sub descriptors {
	my ($self, $pid) = @_;
	opendir my $folder, "/proc/$pid/fd" or die "no process $pid\n";
	return scalar grep { !/^\./ } readdir $folder;
}

sub error_log { $_[0]->read_file('error.log') }

sub access_log {
	my ($self, $name) = @_;
	return split /\n/, $self->read_file($name // 'access.log');
}

# The lines of an access log, once there are as many as wanted.

sub logged {
	my ($self, $count, $name) = @_;
	$self->wait_for(sub { $self->access_log($name) >= $count });
	return $self->access_log($name);
}

# Polls a condition; returns what it returned last.

sub wait_for {
	my ($self, $condition, $seconds) = @_;

	my $deadline = time + ($seconds // 10) * $slow;
	my $result;

	until ($result = $condition->()) {
		return $result if time > $deadline;
		sleep 0.01;
	}

	return $result;
}

###############################################################################

# No nginx outlives its test.

END {
	my $status = $?;
	$_->stop for values %running;
	$? = $status;
}

###############################################################################

1;

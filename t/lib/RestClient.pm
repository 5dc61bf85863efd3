package RestClient;

# Calls through ws_rest: a socket that speaks its messages, and the backend
# behind nginx (t/backends).

use warnings;
use strict;

use JSON::PP;

use WsClient;

our @ISA = qw/WsClient/;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

my %backends;

###############################################################################

# Starts the backend at %%PORT_backend%% of a test, and waits for it.  Both
# name and program may be others.

sub backend {
	my ($t, $name, $program) = @_;
	$name //= 'backend';
	$program //= 'rest.py';

	my $port = $t->port($name);
	my $record = $t->dir . "/$name.record";
	my $pid = fork // die "fork: $!\n";

	if (!$pid) {
		open STDERR, '>', $t->dir . "/$name.log";
		open STDOUT, '>&', \*STDERR;
		exec 'python3', $t->top . "/t/backends/$program", $port, $record
			or POSIX::_exit(127);
	}

	$backends{$pid} = 1;

	$t->wait_for(sub { -s $record })
		or die "no backend:\n" . $t->read_file("$name.log");

	return $pid;
}

sub stop_backend {
	my ($pid) = @_;
	kill 'KILL', $pid;
	waitpid $pid, 0;
	delete $backends{$pid};
}

END {
	my $status = $?;
	stop_backend($_) for keys %backends;
	$? = $status;
}

# What the backend has seen so far, without numbers: "GET /path", "answered",
# "aborted".

sub seen {
	my ($t, $name) = @_;
	my @lines = split /\n/, $t->read_file(($name // 'backend') . '.record');
	return grep { $_ ne 'listening' }
		map { s/^request \d+ \d+ //r =~ s/^(answered|aborted) \d+$/$1/r } @lines;
}

# The number of connections that its requests came over.

sub connections {
	my ($t, $name) = @_;
	my %seen = map { $_ => 1 } $t->read_file(($name // 'backend') . '.record')
		=~ /^request \d+ (\d+) /mg;
	return scalar keys %seen;
}

# Waits until the backend has seen a line so many times.

sub wait_seen {
	my ($t, $line, $times, $seconds) = @_;
	return $t->wait_for(sub {
		(grep { ref $line ? /$line/ : $_ eq $line } seen($t))
			>= ($times // 1);
	}, $seconds);
}

###############################################################################

# A socket at a location with ws_rest.

sub open {
	my ($class, $t, $path, %o) = @_;
	my $self = $class->connect(port => $t->port, path => $path // '/ws', %o);
	die "no WebSocket:\n" . $self->head unless $self->status eq '101';
	return $self;
}

# Sends a message: a hash, or the text itself.

sub send {
	my ($self, $message) = @_;
	return $self->text(ref $message ? $json->encode($message) : $message);
}

# The next reply as text.  What is no text message shows as what it is.

sub reply {
	my ($self, $seconds) = @_;
	return $self->message($seconds) =~ s/^text://r;
}

# The next reply as a hash; empty when there is none.

sub decoded {
	my ($self, $seconds) = @_;
	my $text = $self->reply($seconds);
	my $reply = eval { $json->decode($text) };
	return ref $reply eq 'HASH' ? $reply : {status => $text};
}

# Sends a call and returns its reply as text, or as a hash.

sub raw { my ($self, @call) = @_; $self->send(@call)->reply }
sub call { my ($self, @call) = @_; $self->send(@call)->decoded }

# GETs a path.

sub get { my ($self, $path) = @_; $self->call({id => 1, path => $path}) }
sub status_of { my ($self, $path) = @_; $self->get($path)->{status} }

# The values of a header that the backend has described in its answer.

sub received {
	my ($reply, $name) = @_;
	return map { $_->[1] } grep { lc $_->[0] eq lc $name }
		@{$reply->{body}{headers} // []};
}

# A string as it stands in a query.

sub escaped {
	my ($text) = @_;
	return $text =~ s/([^A-Za-z0-9_.~[\]-])/sprintf '%%%02X', ord $1/ger;
}

###############################################################################

1;

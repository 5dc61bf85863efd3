package WsSocket;

# A stream that says exactly how it went: it writes and reads at the same time,
# and tells an end from a reset.

use warnings;
use strict;

use Errno qw/EAGAIN EINTR/;
use IO::Socket::IP;
use IO::Socket::UNIX;
use Socket qw/IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER SO_RCVBUF
	SO_SNDBUF/;
use Time::HiRes qw/time/;

use constant CHUNK => 65536;

# How long to wait for the server before a test fails, and how much slower
# than usual it is.
our $patience = 10;
our $slow = 1;

###############################################################################

# Options: port, host, local (address), unix (path), tls (1 or more options),
# rcvbuf, sndbuf, prologue (sent before everything else, also before TLS).

sub new {
	my ($class, %o) = @_;

	my $self = bless {
		in => '', out => '', sent => 0, written => 0, ended => '',
		skipped => [],
	}, $class;

	my $socket = $o{unix}
		? IO::Socket::UNIX->new(Peer => $o{unix})
		: IO::Socket::IP->new(
			PeerHost => $o{host} // '127.0.0.1',
			PeerPort => $o{port},
			$o{local} ? (LocalHost => $o{local}) : (),
			Sockopts => [
				$o{rcvbuf} ? [SOL_SOCKET, SO_RCVBUF, $o{rcvbuf}] : (),
				$o{sndbuf} ? [SOL_SOCKET, SO_SNDBUF, $o{sndbuf}] : (),
			],
		);
	die "connect: $!\n" unless $socket;

	# Every write is a packet, as the tests mean it.
	setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1) unless $o{unix};

	syswrite($socket, $o{prologue}) if defined $o{prologue};

	if ($o{tls}) {
		require IO::Socket::SSL;
		$socket = IO::Socket::SSL->start_SSL($socket,
			SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE(),
			SSL_hostname => 'localhost',
			ref $o{tls} ? %{$o{tls}} : ())
			or die "tls: $IO::Socket::SSL::SSL_ERROR\n";
	}

	$socket->blocking(0);
	@$self{qw/socket tls/} = ($socket, $o{tls});
	return $self;
}

# Sends all the bytes, and takes in what the server sends meanwhile.

sub write {
	my ($self, $bytes, %o) = @_;
	$self->{out} .= $bytes;
	$self->pump(sub { !length $self->{out} }, %o);
	return $self;
}

# One byte a packet.

sub dribble {
	my ($self, $bytes, $pause) = @_;
	for (split //, $bytes) {
		$self->write($_);
		select undef, undef, undef, $pause // 0.001;
	}
	return $self;
}

# Sends without ever reading, until the socket takes no more for the time
# given; returns the number of bytes sent.

sub stuff {
	my ($self, $bytes, $seconds) = @_;
	my $before = $self->{written};
	$self->{out} = $bytes;

	while (length $self->{out}) {
		my $sent = $self->{written};
		last unless $self->pump(sub { $self->{written} != $sent },
			deaf => 1, timeout => $seconds);
	}

	@$self{qw/out sent/} = ('', 0);
	return $self->{written} - $before;
}

# Reads to the end: "eof", "reset" or "timeout".

sub end {
	my ($self, $seconds) = @_;
	$self->pump(sub { $self->{ended} }, timeout => $seconds);
	return $self->{ended} || 'timeout';
}

# Whether nothing at all arrives for a time.

sub silent {
	my ($self, $seconds) = @_;
	return 0 if length $self->{in};
	return !$self->pump(sub { length $self->{in} || $self->{ended} },
		timeout => $seconds);
}

sub shut_write { shutdown $_[0]{socket}, 1; return $_[0] }

sub hang_up {
	my ($self) = @_;
	$self->{socket}->close;
	$self->{ended} ||= 'closed';
}

sub reset {
	my ($self) = @_;
	setsockopt($self->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
	CORE::close($self->{socket});
	$self->{ended} ||= 'closed';
}

###############################################################################

# Writes what is left to write and reads, until $done says so.  False when the
# peer or the time ended it.  Options: timeout, deaf (reads nothing).

sub pump {
	my ($self, $done, %o) = @_;

	local $SIG{PIPE} = 'IGNORE';
	my $deadline = time + ($o{timeout} // $patience) * $slow;

	until ($done->()) {
		if ($self->{ended} || $o{deaf} && $self->{broken}) {
			@$self{qw/out sent/} = ('', 0);
			return;
		}

		my $left = $deadline - time;
		return if $left <= 0;

		my ($r, $w) = ('', '');
		my $fd = fileno $self->{socket};
		vec($r, $fd, 1) = 1 unless $o{deaf};
		vec($w, $fd, 1) = 1 if length $self->{out};

		# TLS may hold bytes that no poll of the socket tells of.
		$left = 0 if !$o{deaf} && $self->{tls} && $self->{socket}->pending;
		select($r, $w, undef, $left);

		$self->read_some unless $o{deaf};
		$self->write_some if length $self->{out};
	}

	return 1;
}

sub read_some {
	my ($self) = @_;

	my $n = sysread($self->{socket}, $self->{in}, CHUNK, length $self->{in});
	return if $n || !defined $n && $self->again;

	$self->{ended} = defined $n ? $self->clean_end : $self->failure;
}

sub write_some {
	my ($self) = @_;

	my $n = syswrite($self->{socket}, $self->{out}, CHUNK, $self->{sent});

	if (!defined $n) {
		return if $self->again;
		# The peer takes no more; what it sent before is still to be read.
		@$self{qw/out sent broken/} = ('', 0, 1);
		return;
	}

	$self->{sent} += $n;
	$self->{written} += $n;
	@$self{qw/out sent/} = ('', 0) if $self->{sent} == length $self->{out};
}

sub again {
	my ($self) = @_;
	return 1 if $! == EAGAIN || $! == EINTR;
	return $self->{tls}
		&& $IO::Socket::SSL::SSL_ERROR
		&& ($IO::Socket::SSL::SSL_ERROR
			== IO::Socket::SSL::SSL_WANT_READ()
		|| $IO::Socket::SSL::SSL_ERROR
			== IO::Socket::SSL::SSL_WANT_WRITE());
}

# A TLS stream may end without close_notify: that is a truncation.

sub clean_end {
	my ($self) = @_;
	return 'eof' unless $self->{tls};
	my $ssl = $self->{socket}->_get_ssl_object or return 'eof';
	return Net::SSLeay::get_shutdown($ssl) & 2 ? 'eof' : 'truncated';
}

sub failure {
	return $!{ECONNRESET} ? 'reset' : 'truncated' if $_[0]{tls};
	return $!{ECONNRESET} ? 'reset' : "error: $!";
}

###############################################################################

1;

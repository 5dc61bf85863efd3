package WsClient;

# A client of the module that sends what a test wants, right or wrong.

use warnings;
use strict;

use Digest::SHA qw/sha1_base64/;

use WsFrame;
use WsSocket;

our @ISA = qw/WsSocket/;

###############################################################################

use constant CONTINUATION => 0;
use constant TEXT => 1;
use constant BINARY => 2;
use constant CLOSE => 8;
use constant PING => 9;
use constant PONG => 10;

# The example of RFC 6455 section 1.3.
use constant KEY => 'dGhlIHNhbXBsZSBub25jZQ==';

###############################################################################
# The handshake.

# A connection and its handshake.  Options of WsSocket::new and of handshake.

sub connect {
	my ($class, %o) = @_;
	my $self = $class->new(%o);
	$self->handshake(%o);
	return $self;
}

# Options: path, key, headers (lines added to the usual ones), request (all
# of its bytes), more (bytes sent in the same packet).

sub handshake {
	my ($self, %o) = @_;
	$self->write(($o{request} // upgrade(%o)) . ($o{more} // ''));
	return $self->response;
}

sub upgrade {
	my (%o) = @_;
	return join "\r\n", 'GET ' . ($o{path} // '/ws') . ' HTTP/1.1',
		'Host: ' . ($o{name} // 'localhost'), 'Upgrade: websocket',
		'Connection: Upgrade', 'Sec-WebSocket-Key: ' . ($o{key} // KEY),
		'Sec-WebSocket-Version: 13', @{$o{headers} // []}, '', '';
}

sub accept_value {
	my ($key) = @_;
	return sha1_base64("${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11") . '=';
}

# Reads one HTTP response: its head, and its body when it has a length.

sub response {
	my ($self) = @_;

	$self->pump(sub { $self->{in} =~ /\r\n\r\n/ })
		or die 'no response, ' . ($self->{ended} || 'timed out')
			. ": '$self->{in}'\n";
	$self->{in} =~ s/^(.*?\r\n)\r\n//s;

	my ($line, @lines) = split /\r\n/, $self->{head} = $1;
	$self->{status} = (split / /, $line)[1];
	$self->{headers} = {};

	for (@lines) {
		my ($name, $value) = /^([^:]+): *(.*)$/ or die "bad header '$_'\n";
		push @{$self->{headers}{lc $name}}, $value;
	}

	my $length = $self->{status} == 101 ? 0
		: $self->header('content-length') // 0;
	$self->pump(sub { length $self->{in} >= $length }) or die "short body\n";
	$self->{body} = substr($self->{in}, 0, $length, '');

	return $self->{status};
}

sub status { $_[0]{status} }
sub head { $_[0]{head} }
sub body { $_[0]{body} }

# The values of a response header, joined when it was repeated.

sub header {
	my ($self, $name) = @_;
	my $values = $self->{headers}{lc $name} // return undef;
	return join ', ', @$values;
}

###############################################################################
# Sending.

sub text { my $s = shift; $s->frame(TEXT, @_) }
sub binary { my $s = shift; $s->frame(BINARY, @_) }
sub continuation { my $s = shift; $s->frame(CONTINUATION, @_) }
sub ping { my $s = shift; $s->frame(PING, @_) }
sub pong { my $s = shift; $s->frame(PONG, @_) }

sub close {
	my ($self, $code, $reason) = @_;
	return $self->frame(CLOSE,
		defined $code ? pack('n', $code) . ($reason // '') : '');
}

sub frame {
	my ($self, @frame) = @_;
	return $self->write(WsFrame::encode(@frame));
}

###############################################################################
# Receiving.

# The next frame, or nothing at the end of the stream.

sub read_frame {
	my ($self, $seconds) = @_;
	my $frame;
	$self->pump(sub { $frame = WsFrame::decode(\$self->{in}) },
		timeout => $seconds);
	return $frame;
}

# The next message, whole, as "text:..." or "binary:..."; a control frame in
# between is put into "skipped".

sub message {
	my ($self, $seconds) = @_;
	my ($type, $message);

	while (my $frame = $self->read_frame($seconds)) {
		if ($frame->{opcode} >= CLOSE) {
			push @{$self->{skipped}}, $frame;
			next;
		}

		die "frame out of order" if $frame->{rsv}
			|| !$frame->{opcode} != defined $type;
		$type //= $frame->{opcode} == TEXT ? 'text:' : 'binary:';
		$message .= $frame->{payload};
		return "$type$message" if $frame->{fin};
	}

	return $self->{ended} || 'timeout';
}

# "text:hello", "pong:", "close:1000 reason": easy to compare in a test.

sub read {
	my ($self, $seconds) = @_;
	my $frame = $self->read_frame($seconds)
		or return $self->{ended} || 'timeout';
	my $name = {
		0 => 'continuation', 1 => 'text', 2 => 'binary',
		8 => 'close', 9 => 'ping', 10 => 'pong',
	}->{$frame->{opcode}} // "opcode $frame->{opcode}";

	$name .= ' rsv' if $frame->{rsv};
	$name .= ' unfinished' unless $frame->{fin};

	my $payload = $frame->{payload};
	if ($frame->{opcode} == CLOSE && length $payload > 1) {
		$payload = join ' ', unpack('n', $payload),
			length $payload > 2 ? substr($payload, 2) : ();
	}
	return "$name:$payload";
}

# The code and reason of the server's Close, past all other frames, which are
# kept in "skipped"; 1005 when it has no code, nothing when there is no Close.

sub read_close {
	my ($self, $seconds) = @_;
	while (my $frame = $self->read_frame($seconds)) {
		if ($frame->{opcode} == CLOSE) {
			return (1005, '') unless length $frame->{payload};
			return unpack('na*', $frame->{payload});
		}
		push @{$self->{skipped}}, $frame;
	}
	return;
}

###############################################################################

1;

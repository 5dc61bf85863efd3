package WsFrame;

# Frames of RFC 6455 as bytes, right ones and wrong ones.

use warnings;
use strict;

use Exporter qw/import/;

our @EXPORT_OK = qw/decode encode unmask/;

###############################################################################

my $masks = 0x37fa213d;

# A frame as a client sends it.  Options to break it: fin, rsv (0 to 7),
# mask ('' for none), length (declared instead of the true one) and
# form (7, 16 or 64 bits for the length).

sub encode {
	my ($opcode, $payload, %o) = @_;

	my $length = $o{length} // length $payload;
	my $mask = $o{mask} // next_mask();
	my $form = $o{form} // ($length < 126 ? 7 : $length < 65536 ? 16 : 64);

	my $first = ($o{fin} // 1) << 7 | ($o{rsv} // 0) << 4 | $opcode;
	my $bit = length $mask ? 0x80 : 0;

	my $head = $form == 7 ? pack('CC', $first, $bit | $length)
		: $form == 16 ? pack('CCn', $first, $bit | 126, $length)
		: pack('CCQ>', $first, $bit | 127, $length);

	return $head . $mask . (length $mask ? unmask($payload, $mask) : $payload);
}

# Takes one frame of a server off the buffer, or nothing while it is
# incomplete.  What a server must never send ends the test.

sub decode {
	my ($buffer) = @_;

	return if length $$buffer < 2;

	my ($first, $second) = unpack('CC', $$buffer);
	die "server masked a frame" if $second & 0x80;

	my ($head, $length) = (2, $second);

	if ($second == 126) {
		return if length $$buffer < 4;
		($head, $length) = (4, unpack('x2n', $$buffer));
		die "server used 16 bits for length $length" if $length < 126;

	} elsif ($second == 127) {
		return if length $$buffer < 10;
		($head, $length) = (10, unpack('x2Q>', $$buffer));
		die "server used 64 bits for length $length" if $length < 65536;
	}

	return if length $$buffer < $head + $length;

	substr($$buffer, 0, $head, '');

	return {
		fin => $first >> 7,
		rsv => $first >> 4 & 7,
		opcode => $first & 15,
		payload => substr($$buffer, 0, $length, ''),
	};
}

sub unmask {
	my ($payload, $mask) = @_;

	# The quotes matter: "^" would take a number for a number.
	my $length = length $payload;
	return "$payload" ^ substr($mask x (($length + 3) >> 2), 0, $length);
}

# Another mask for every frame, the same ones in every run.

sub next_mask {
	$masks = ($masks * 1103515245 + 12345) & 0x7fffffff;
	return pack('N', $masks);
}

###############################################################################

1;

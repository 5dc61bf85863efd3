#!/usr/bin/perl

# Tests for WebSocket: messages come back in the order in which they were sent.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_send_queue 1k;
    }
}

EOF

###############################################################################

use constant COUNT => 5000;

# Small and large, text and binary, fragments and controls, all in one go.

my ($bytes, @expected, @pongs) = ('');

for my $i (1 .. COUNT) {
	my $size = $i % 97 == 0 ? 30_000 : $i % 300;
	my $payload = "$i " . 'p' x $size;

	if ($i % 5 == 0) {
		$bytes .= WsFrame::encode(1, substr($payload, 0, 1), fin => 0)
			. WsFrame::encode(9, "ping $i")
			. WsFrame::encode(0, substr($payload, 1));
		push @pongs, "ping $i";
		push @expected, "text:$payload";

	} elsif ($i % 2) {
		$bytes .= WsFrame::encode(1, $payload);
		push @expected, "text:$payload";

	} else {
		$bytes .= WsFrame::encode(2, $payload);
		push @expected, "binary:$payload";
	}
}

my $s = $t->ws('/ws');
$s->write($bytes);

my $wrong = 0;
for my $expected (@expected) {
	$wrong++ unless $s->message eq $expected;
}

is($wrong, 0, COUNT . ' messages in order');
is(join("\n", map { $_->{payload} } @{$s->{skipped}}), join("\n", @pongs),
	'pongs in order');
is(join('', map { $_->{opcode} == 10 ? '' : $_->{opcode} } @{$s->{skipped}}),
	'', 'nothing but pongs in between');
ok($s->silent(0.1), 'nothing more');
$t->closes($s->close(1000), 1000, 'close');

$t->finish;

###############################################################################

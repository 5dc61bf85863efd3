#!/usr/bin/perl

# Tests for WebSocket: a Close behind messages that a rate makes wait is
# answered.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/sleep time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

ws_message_zone $arg_key zone=z:64k rate=1r/m;

log_format code "$uri $ws_close_code";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /rate   { ws_echo; ws_message_rate 1r/m delay; }
    location = /shared { ws_echo; ws_message_limit zone=z delay; }
    location = /rest   { ws_rest /api/; ws_message_rate 1r/m delay; }
    location = /quick  { ws_echo; ws_message_rate 10r/s delay; }
    location /api/     { access_log off; default_type text/plain; return 200 ok; }
}

EOF

###############################################################################

sub messages { join '', map { WsFrame::encode(1, $_) } @_ }
sub closing { WsFrame::encode(8, pack 'na*', $_[0], 'bye') }

# All that comes back: the first message has no need to wait, the others may be
# dropped, but are not served before their time.

sub rest {
	my ($s) = @_;
	my @seen;
	while (my $frame = $s->read_frame(3)) {
		push @seen, $frame->{opcode} == 8 ? unpack('n', $frame->{payload}) : 'm';
	}
	return join ' ', @seen, $s->end(2);
}

my @ways = (
	['in one packet', sub { $_[0]->write($_[1] . $_[2]) }],
	['in another packet', sub { $_[0]->write($_[1])->write($_[2]) }],
	['a second later', sub { $_[0]->write($_[1]); sleep 1;
		$_[0]->write($_[2]) }],
	['byte by byte', sub { $_[0]->dribble($_[1] . $_[2]) }],
	['behind half a message', sub { $_[0]->write($_[1]
		. WsFrame::encode(1, 'x', fin => 0) . $_[2]) }],
);

for my $path ('/rate', '/shared', '/rest') {
	for my $i (0 .. $#ways) {
		my ($name, $send) = @{$ways[$i]};
		my $s = $t->ws("$path?key=$i");
		my $start = time;
		$send->($s, messages(('{"path":"/api/"}') x 3), closing(1000));
		like(rest($s), qr/^m (?:m )?1000 eof$/, "$path: $name");
		cmp_ok(time - $start, '<', 3 * $NginxWs::slow, "$path: $name: soon");
		is(($t->logged(1))[-1], "$path 1000", "$path: $name: log");
		truncate $t->dir . '/access.log', 0;
	}
}

# What is wrong behind messages is found as well, if not at once: here, as soon
# as their time has come.

my $s = $t->ws('/quick');
my $start = time;
$s->write(messages(1 .. 5) . WsFrame::encode(8, pack 'n', 999));
my @seen;
while (my $frame = $s->read_frame(3)) {
	push @seen, $frame->{opcode} == 8 ? unpack('n', $frame->{payload})
		: $frame->{payload};
}
like("@seen", qr/^1(?: \d)* 1002$/, 'a Close that is none');

# Messages before a Close that are served respect the rate.

for my $later (0, 0.25) {
	$s = $t->ws('/quick');
	$start = time;
	$s->write(messages(1 .. 20));
	sleep $later if $later;
	$s->write(closing(1000));
	my @echoes;
	while (my $frame = $s->read_frame(5)) {
		push @echoes, $frame->{payload} if $frame->{opcode} == 1;
		last if $frame->{opcode} == 8;
	}
	my $took = time - $start;
	cmp_ok(scalar @echoes, '<=', 2 + $took * 10,
		"no faster than the rate, Close after $later s");
	is("@echoes", join(' ', 1 .. @echoes), 'in order, from the first');
}

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: ws_message_rate, the messages of one socket.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /delay  { ws_echo; ws_message_rate 20r/s burst=4; }
    location /close  { ws_echo; ws_message_rate 1r/s burst=4 close; }
    location /reject { ws_rest /api/; ws_message_rate 1r/s burst=1 reject; }
    location /strict {
        ws_rest /api/;
        ws_order strict;
        ws_message_rate 1r/s burst=1 reject;
    }
    location /api/   { default_type text/plain; return 200 ok; }

    location /pings {
        ws_echo;
        ws_message_rate 1r/s;
        ws_ping_interval 50ms;
        ws_pong_timeout 50ms;
        ws_idle_timeout 300ms;
    }
}

EOF

###############################################################################

# All are echoed, in order, no faster than the rate.

my $s = $t->ws('/delay');
my $start = time;
$s->text($_) for 1 .. 15;
is(join(' ', map { $s->read } 1 .. 15), join(' ', map { "text:$_" } 1 .. 15),
	'delayed messages are echoed');
cmp_ok(time - $start, '>', 0.4, 'not before their time');
cmp_ok(time - $start, '<', 0.5 + 2 * $NginxWs::slow, 'nor long after it');

$s = $t->ws('/close');
$s->text($_) for 1 .. 7;
is(join(' ', map { $s->read } 1 .. 5), 'text:1 text:2 text:3 text:4 text:5',
	'up to the burst');
$t->closes($s, 1008, 'over it', 'too many messages');

# A call over the rate has a reply; the socket stays.

for my $path ('/reject', '/strict') {
	$s = $t->ws($path);
	$s->text(qq({"id":"$_","path":"/api/"})) for 1 .. 3;
	my @replies = map { $s->read } 1 .. 3;
	like($replies[0], qr/"id":"1","status":200/, "$path: a call");
	like($replies[2], qr/^text:\{"id":"3","status":429,
		"error":"too_many_messages","message":"[^"]+",
		"retry_after_ms":(\d+)\}$/x, "$path: one too many");
	my ($ms) = $replies[2] =~ /retry_after_ms":(\d+)/;
	cmp_ok($ms, '<=', 1000, "$path: when to come again");
	select undef, undef, undef, $ms / 1000 + 0.01;
	like($s->text('{"id":"4","path":"/api/"}')->read, qr/"id":"4","status":200/,
		"$path: then");
}

# A client whose messages wait is heard all the same: its answers to pings keep
# it alive, and so do pings of its own, which are answered meanwhile.

$s = $t->ws('/pings');
$s->text($_) for 'a', 'b', 'c';
my @echoes;
while (@echoes < 3) {
	my $frame = $s->read_frame(5 * $NginxWs::slow) or last;
	if ($frame->{opcode} == 9) {
		$s->pong($frame->{payload});
	} else {
		push @echoes, $frame->{payload};
	}
}
is("@echoes", 'a b c', 'longer than the timeouts');

$t->finish;

###############################################################################

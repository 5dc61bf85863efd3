#!/usr/bin/perl

# Tests for WebSocket: a client that falls silent while a rate makes its
# messages wait is let go of, and one that does not is answered.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

ws_message_zone $arg_key zone=z:64k rate=1r/m;

log_format code "$uri $ws_close_code $ws_close_reason";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    ws_ping_interval 300ms;
    ws_pong_timeout 300ms;
    ws_close_timeout 500ms;

    location = /ping   { ws_echo; ws_message_rate 1r/m delay; }
    location = /shared { ws_echo; ws_message_limit zone=z delay; }

    location = /idle {
        ws_echo;
        ws_message_rate 1r/m delay;
        ws_ping_interval 0;
        ws_idle_timeout 600ms;
    }

    location = /plain {
        ws_echo;
        ws_message_rate 1r/m delay;
        ws_ping_interval 0;
    }
}

EOF

###############################################################################

my $messages = join '', map { WsFrame::encode(1, $_) } qw/a b c/;

# They say nothing more, not even pongs, nor a Close.

for (
	['/ping', ''], ['/shared?key=a', ''], ['/idle', '1001 idle timeout'],
) {
	my ($path, $expected) = @$_;
	my $s = $t->ws($path);
	my $start = time;
	$s->write($messages);
	is($s->read, 'text:a', "$path: the first message");
	is(join(' ', $s->read_close(3)), $expected, "$path: silence is noticed");
	cmp_ok(time - $start, '>=', 0.5, "$path: not before its time");
	is($s->end(6), 'eof', "$path: the end");
}

# One that answers pings is alive, for as long as it does.

for my $path ('/ping', '/shared?key=b') {
	my $s = $t->ws($path);
	$s->write($messages);
	my ($pings, @others) = (0);
	while ($pings < 6) {
		my $frame = $s->read_frame(2) or last;
		if ($frame->{opcode} == 9) {
			$s->pong($frame->{payload});
			$pings++;
		} else {
			push @others, "$frame->{opcode}:$frame->{payload}";
		}
	}
	is($pings, 6, "$path: pongs are heard during a pause");
	like("@others", qr/^1:a(?: 1:b)?$/, "$path: which lasts");
	is(join(' ', $s->read_close(3), $s->end), 'eof',
		"$path: until there are none");
}

# Its own pings are answered, in order, wherever they stand.

my $s = $t->ws('/plain');
$s->write(WsFrame::encode(9, 1) . $messages . WsFrame::encode(9, 2)
	. WsFrame::encode(1, 'd', fin => 0) . WsFrame::encode(9, 3));
$s->dribble(WsFrame::encode(9, 4));
$s->write(WsFrame::encode(0, 'e') . WsFrame::encode(9, 5));
is(join(' ', sort map { $s->read(2) } 1 .. 7),
	'pong:1 pong:2 pong:3 pong:4 pong:5 text:a text:b', 'pings are answered');
ok($s->silent(0.3), 'messages are not');

$t->finish;

###############################################################################

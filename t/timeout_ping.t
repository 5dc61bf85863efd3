#!/usr/bin/perl

# Tests for WebSocket: ws_ping_interval and ws_pong_timeout.

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

log_format code "$uri $ws_close_code";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    ws_ping_interval 300ms;
    ws_pong_timeout 1s;

    location /ws    { ws_echo; }
    location /dead  { ws_echo; }
    location /large { ws_echo; }
    location /off   { ws_echo; ws_ping_interval 0; }
}

EOF

###############################################################################

my $off = $t->ws('/off');
my $dead = $t->ws('/dead');
my $start = time;

# A client that answers.

my $s = $t->ws('/ws');
my $pings = 0;

while (time - $start < 1.4) {
	my $frame = $s->read_frame(2) or last;
	is($frame->{opcode}, 9, 'ping');
	$pings++;
	$s->pong($frame->{payload});
}

cmp_ok($pings, '>=', $NginxWs::slow > 1 ? 1 : 2, 'pings go on');
cmp_ok($pings, '<=', 5, 'but not more often than the interval');

# One that has something to say needs no ping.

for (1 .. 12) {
	$s->text('busy');
	select undef, undef, undef, 0.06;
}
is((grep { $s->read ne 'text:busy' } 1 .. 12), 0, 'no ping for a busy client')
	if $NginxWs::slow == 1;
$s->close(1000);

# The silent one got one ping, no Close, and is gone.

is($dead->read, 'ping:', 'ping for the silent client');
is($dead->read =~ /^(?:eof|reset)$/, 1, 'no close for it');
like((grep { /dead/ } $t->logged(2))[0], qr!^/dead 1006$!, 'code in the log');
like($t->error_log, qr/\[info\].*websocket: client does not answer a ping/,
	'the reason in the error log');

# A pong within a fragmented message will do.

$s = $t->ws('/large');
$s->text('a', fin => 0);
like($s->read, qr/^ping:/, 'ping within a message');
$s->pong('');
like($s->read, qr/^ping:/, 'and another one');
$s->pong('')->continuation('b');
is($s->message, 'text:ab', 'the message');

is($off->text('x')->read, 'text:x', 'no ping with an interval of 0');

$t->finish;

###############################################################################

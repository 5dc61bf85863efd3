#!/usr/bin/perl

# Tests for WebSocket: ws_idle_timeout.

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

log_format code "$uri $ws_close_code $ws_close_reason";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    location /idle {
        ws_echo;
        ws_idle_timeout 600ms;
        ws_close_timeout 1500ms;
    }

    location /off {
        ws_echo;
        ws_idle_timeout 0;
    }
}

EOF

###############################################################################

my $off = $t->ws('/off');

# A silent client, that answers the Close.

my $start = time;
my $s = $t->ws('/idle');
is(join(' ', $s->read_close), '1001 idle timeout', 'silent client');
my $took = time - $start;
cmp_ok($took, '>=', 0.59, 'not before the timeout');
cmp_ok($took, '<', 0.59 + 2 * $NginxWs::slow, 'not long after it');

$start = time;
is($s->close(1001)->end, 'eof', 'end after the close was answered');
cmp_ok(time - $start, '<', 1.2 * $NginxWs::slow, 'at once');

# One that does not answer.

$s = $t->ws('/idle');
is(($s->read_close)[0], 1001, 'client that does not answer the close');
$start = time;
is($s->end, 'eof', 'end without an answer');
$took = time - $start;
cmp_ok($took, '>=', 1.49, 'not before ws_close_timeout');
cmp_ok($took, '<', 1.49 + 2 * $NginxWs::slow, 'not long after it');

# One that goes on: messages are not echoed any more, but until its own Close
# a Ping is answered (RFC 6455, 5.5.2).

$s = $t->ws('/idle');
is(($s->read_close)[0], 1001, 'client that goes on');
$s->text('late')->ping('late')->close(1000);
is($s->read, 'pong:late', 'a ping is answered');
is(join(' ', $s->end, length $s->{in}), 'eof 0', 'a message is not');

# Any frame is a sign of life.

my @frames = (WsFrame::encode(1, 'text'), WsFrame::encode(9, ''),
	WsFrame::encode(10, ''), WsFrame::encode(1, '', fin => 0),
	WsFrame::encode(0, '', fin => 0), WsFrame::encode(0, ''));

$s = $t->ws('/idle');
$start = time;
for (@frames, @frames) {
	$s->write($_);
	select undef, undef, undef, 0.15;
}
is(join(' ', map { $s->read } 1 .. 3), 'text:text pong: text:',
	'frames keep it open');
is(join(' ', map { $s->read } 1 .. 3), 'text:text pong: text:', 'all of them');
is(join(' ', $s->read_close), '1001 idle timeout', 'then it is silent');
cmp_ok(time - $start, '>=', 12 * 0.15 + 0.4, 'for the whole timeout');
$s->close(1001)->end;

# What is sent to the client is none: only the client's frames count.

is($off->text('awake')->read, 'text:awake', 'no timeout with 0');

my @log = $t->logged(4);
is((grep { $_ eq '/idle 1001 idle timeout' } @log), 4, 'code in the log');

$t->finish;

###############################################################################

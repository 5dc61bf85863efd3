#!/usr/bin/perl

# Tests for WebSocket: a client that never reads is bounded, and dropped.

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

log_format code "$uri $ws_close_code $ws_messages_out";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k rcvbuf=16k;

    ws_send_queue 64k;
    ws_send_timeout 700ms;

    location /small { ws_echo; }
    location /large { ws_echo; ws_max_message 4m; }
    location /ping  { ws_echo; }
    location /slow  { ws_echo; }
}

EOF

###############################################################################

my $worker = ($t->workers)[0];
$t->ws('/small')->text('warm')->read;

# Of 64 megabytes the server takes what its queue, one message and the buffers
# of two sockets hold.

sub deaf {
	my ($path, $bytes, $limit) = @_;

	my $before = $t->rss($worker);
	my $s = $t->ws($path, rcvbuf => 4096, sndbuf => 4096);
	my $taken = $s->stuff($bytes x (int((64 << 20) / length $bytes) + 1), 0.3);

	cmp_ok($taken, '<', $limit, "$path: bytes taken");
	$t->uses($t->rss($worker) - $before, $limit >> 10, "$path: memory");
	return $s;
}

my $start = time;
my $small = deaf('/small', WsFrame::encode(2, 's' x 1000), 512 << 10);
my $large = deaf('/large', WsFrame::encode(2, 'l' x (4 << 20)), 6 << 20);
my $ping = deaf('/ping', WsFrame::encode(9, 'p' x 125), 512 << 10);

my @log = $t->logged(4);
my $took = time - $start;

is((grep { m!^/small 1008 ! } @log), 1, 'dropped with 1008 in the log');
is((grep { m!^/large 1008 ! } @log), 1, 'dropped in a large message');
is((grep { m!^/ping 1008 ! } @log), 1, 'dropped in pongs');
cmp_ok($took, '>=', 0.7, 'not before ws_send_timeout');
cmp_ok($took, '<', 8 * $NginxWs::slow, 'not long after ws_send_timeout');
isnt($_->end, 'timeout', 'the connection has ended') for $small, $large, $ping;

like($t->error_log, qr/\[info\].*websocket: client does not read/, 'log');

# A slow reader is no deaf one: it reads on and on, for longer than the timeout.

my $count = 400;
my $s = $t->ws('/slow', rcvbuf => 4096);
my $frame = WsFrame::encode(2, 'x' x 1000);
$s->{out} = $frame x $count;
$start = time;
my $got = 0;

while ($got < $count && !$s->{ended}) {
	$s->write_some if length $s->{out};
	select undef, undef, undef, 0.01;
	$s->read_some;
	$got++ while WsFrame::decode(\$s->{in});
}

is($got, $count, 'a slow reader gets everything');
is($s->text('still here')->read, 'text:still here', 'and is not dropped');
cmp_ok(time - $start, '>', 0.8, 'although it took longer');

$t->finish;

###############################################################################

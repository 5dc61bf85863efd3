#!/usr/bin/perl

# Tests for WebSocket: directives of output pass from http to server to location.

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

log_format seconds "$uri $ws_close_code $ws_duration";
access_log %%TESTDIR%%/access.log seconds;

ws_send_queue 1k;
ws_send_timeout 300ms;
ws_drain 0;

server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k rcvbuf=16k;

    location /http { ws_echo; }
}

server {
    listen 127.0.0.1:%%PORT_2%% sndbuf=16k rcvbuf=16k;
    ws_send_queue 500k;
    ws_send_timeout 1200ms;
    ws_drain 1s;

    location /server { ws_echo; }

    location /location {
        ws_send_queue 1m;
        ws_send_timeout 2100ms;
        ws_drain 2s;
        ws_echo;
    }
}

EOF

###############################################################################

my @cases = (
	# path, port, ws_send_queue, ws_send_timeout, ws_drain
	['/http', $t->port, 1 << 10, 0.3, 0],
	['/server', $t->port('2'), 500 << 10, 1.2, 1],
	['/location', $t->port('2'), 1 << 20, 2.1, 2],
);

# Clients that do not read: how much the server takes, and how long it waits.

my $flood = WsFrame::encode(2, 'x' x 1000) x 4000;

for my $case (reverse @cases) {
	my ($path, $port, $queue) = @$case;
	my $s = $t->ws($path, port => $port, rcvbuf => 4096, sndbuf => 4096);
	my $taken = $s->stuff($flood, 0.15);

	cmp_ok($taken, '>', $queue, "$path: more than ws_send_queue is taken");
	cmp_ok($taken, '<', $queue + (300 << 10), "$path: but not much more");
	push @$case, $s;
}

my %duration = map { m!^(\S+) 1008 (\S+)$! } $t->logged(3);

for my $case (@cases) {
	my ($path, $timeout) = @$case[0, 3];
	cmp_ok($duration{$path} // 0, '>=', $timeout, "$path: ws_send_timeout");
	cmp_ok($duration{$path} // 0, '<', $timeout + 0.85 * $NginxWs::slow,
		"$path: not long after it");
}

# How long the last of thirty sockets waits for its Close.

my %sockets = map {
	my ($path, $port) = @$_;
	($path => [map { $t->ws($path, port => $port) } 1 .. 30]);
} @cases;

my $start = time;
$t->reload;
my $reloaded = time - $start;

for my $case (@cases) {
	my ($path, $drain) = @$case[0, 4];
	my @codes = map { ($_->read_close)[0] // 'none' } @{$sockets{$path}};
	my $took = time - $start;

	is((grep { $_ ne '1001' } @codes), 0, "$path: all closed");
	cmp_ok($took, '>', $drain * 0.6, "$path: spread over ws_drain");
	cmp_ok($took, '<', $reloaded + $drain + 0.9 * $NginxWs::slow,
		"$path: not longer");
}

$t->finish;

###############################################################################

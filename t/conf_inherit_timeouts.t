#!/usr/bin/perl

# Tests for WebSocket: the other timeouts pass from http to server to location.

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

ws_max_lifetime 300ms;
ws_close_timeout 3800ms;
ws_ping_interval 100ms;
ws_pong_timeout 10s;

log_format code "$uri $ws_close_code";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    location /http { ws_echo; }

    location /location {
        ws_max_lifetime 2100ms;
        ws_close_timeout 100ms;
        ws_ping_interval 0;
        ws_echo;
    }
}

server {
    listen 127.0.0.1:%%PORT_2%%;
    ws_max_lifetime 1200ms;
    ws_close_timeout 1900ms;
    ws_ping_interval 300ms;

    location /server { ws_echo; }

    location /pong {
        ws_pong_timeout 100ms;
        ws_max_lifetime 0;
        ws_echo;
    }
}

EOF

###############################################################################

my $start = time;
my @cases = (
	# path, port, ws_max_lifetime, ws_close_timeout, pings
	['/http', $t->port, 0.3, 3.8, 1],
	['/server', $t->port('2'), 1.2, 1.9, 1],
	['/location', $t->port, 2.1, 0.1, 0],
);

my @sockets = map { $t->ws($_->[0], port => $_->[1]) } @cases;
my $silent = $t->ws('/pong', port => $t->port('2'));

# Nobody answers a ping within this test, so only the first one is sent.

my @closed = map {
	my ($code, $reason) = $_->read_close;
	["$code $reason", time - $start];
} @sockets;

for my $i (0 .. $#cases) {
	my ($path, undef, $lifetime, undef, $pings) = @{$cases[$i]};
	my ($close, $took) = @{$closed[$i]};

	is($close, '1001 lifetime', "$path: lifetime");
	cmp_ok($took, '>=', $lifetime - 0.01, "$path: not before ws_max_lifetime");
	cmp_ok($took, '<', $lifetime + 0.85 * $NginxWs::slow,
		"$path: not long after ws_max_lifetime");
	is(!!@{$sockets[$i]{skipped}}, !!$pings, "$path: ws_ping_interval");
}

# The client answers no Close: each socket ends after ws_close_timeout.

for my $i (2, 1, 0) {
	my ($path, undef, $lifetime, $timeout) = @{$cases[$i]};
	is($sockets[$i]->end, 'eof', "$path: end");
	my $took = time - $start - $lifetime;

	cmp_ok($took, '>=', $timeout - 0.01, "$path: not before ws_close_timeout");
	cmp_ok($took, '<', $timeout + 0.85 * $NginxWs::slow,
		"$path: not long after ws_close_timeout");
}

isnt($silent->end, 'timeout', 'ws_pong_timeout of the location');
is((grep { m!^/pong! } $t->logged(4))[0], '/pong 1006', 'its code');

$t->finish;

###############################################################################

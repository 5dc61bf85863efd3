#!/usr/bin/perl

# Tests for conf/examples: how long a proxied socket or stream may be silent,
# and how long it outlives its configuration.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Example;
use Test::More;
use Time::HiRes qw/sleep time/;

###############################################################################

# Two seconds in place of 120, of ten minutes and, below, of 24 hours.

my $t = Example->new('websocket-gateway',
	'proxy_read_timeout 120s' => 'proxy_read_timeout 2s',
	'proxy_send_timeout 120s' => 'proxy_send_timeout 2s',
	'worker_shutdown_timeout 10m' => 'worker_shutdown_timeout 2s');
$t->backend(8000, qw/node gateway.js PORT/);
$t->go;

sub socket_of {
	my $s = $t->ws(8080, '/ws-notifications');
	$s->message;
	return $s;
}

# Seconds until it ends, and how: "eof" or a Close frame.

sub ends {
	my ($s, $since) = @_;
	my ($code) = $s->read_close;
	my $end = $s->end;
	return (time - $since, $code // $end);
}

# A busy machine is late, but never early.

sub about_two {
	my ($seconds) = @_;
	cmp_ok($seconds, '>', 1.5, 'not before two seconds');
	cmp_ok($seconds, '<', 5 * $NginxWs::slow, 'nor long after');
}

###############################################################################

my ($silent, $one_way, $pinging, $answered)
	= (socket_of(), socket_of(), socket_of(), socket_of());
my $start = time;

# Three seconds: one sends what nobody answers, one pings, one is sent to.

$one_way->frame(WsClient::BINARY, '', fin => 0);
$answered->text("slow $_") for map { $_ * 500 } 1 .. 6;

for (1 .. 6) {
	sleep 0.5;
	$one_way->continuation('x', fin => 0);
	is($pinging->ping('')->read, 'pong:', "ping $_");
}

is((ends($silent, $start))[1], 'eof',
	'a silent socket is cut off, without a Close frame');
is($one_way->continuation('.')->message, 'binary:xxxxxx.', 'one that sends');
is($pinging->text('x')->message, 'text:x', 'one that pings');
is($answered->message, 'text:slow', "one that is sent to, $_") for 1 .. 6;

my $s = socket_of();
$start = time;
about_two((ends($s, $start))[0]);

# A socket outlives a reload by worker_shutdown_timeout.

$s = socket_of();
my @old = $t->reload;
$start = time;
while (time < $start + 6 && !$s->{ended}) {
	$s->ping('');
	$s->read(0.2);
}
# A ping that nginx has not read makes its end of TCP a reset.
like($s->end, qr/^(?:eof|reset)$/, 'cut off after a reload');
about_two(time - $start);
ok($t->gone($_), 'the old worker leaves') for @old;

# What the snippet says, where nothing else is said.

$t->snippet('websocket-proxy', '24h' => '2s');
$t->render('proxy_read_timeout 120s;' => '', 'proxy_send_timeout 120s;' => '');
$t->reload;

$s = socket_of();
$start = time;
about_two((ends($s, $start))[0]);

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket under attack: floods of headers.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use NginxWs;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 2048;');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_compression on;
        ws_subprotocol wanted;
        ws_origin same a.example *.b.example;
    }
}

EOF

###############################################################################

use constant TIMES => 50;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

# As many bytes of headers as nginx takes: four buffers of 8k, each header in
# one of them (large_client_header_buffers).

sub fill {
	my ($line) = @_;
	return ($line) x (30_000 / (2 + length $line));
}

my $protocol = 'Sec-WebSocket-Protocol: ';
my $extensions = 'Sec-WebSocket-Extensions: ';
my $deflate = 'permessage-deflate; client_max_window_bits';

my @attacks = (
	['an ordinary handshake', 101],
	['7500 headers without a value', 101, fill('a:')],
	['a header of 8000 bytes', 101, 'X-X: ' . 'x' x 8000],
	['three of them', 101, fill('X-X: ' . 'x' x 8000)],
	['a header of 9000 bytes', 400, 'X-X: ' . 'x' x 9000],
	['five of 8000 bytes', 400, ('X-X: ' . 'x' x 8000) x 5],
	['4000 subprotocols', 101, $protocol . 'a,' x 3999 . 'wanted'],
	['1200 lines of subprotocols', 101, fill("${protocol}a")],
	['a subprotocol of 8000 bytes', 101, $protocol . 'a' x 8000],
	['8000 commas', 400, $protocol . ',' x 8000],
	['180 offers', 101, $extensions . "$deflate=99, " x 150 . $deflate],
	['1000 lines of offers', 101, fill("${extensions}a")],
	['2700 parameters', 101, $extensions . 'permessage-deflate'
		. ';a' x 3900],
	['an endless quoted string', 400, $extensions . 'a;b="' . '\\a' x 3900],
	['4000 upgrades', 101, 'Upgrade: ' . 'x,' x 4000],
	['4000 connections', 101, 'Connection: ' . 'x,' x 4000],
	['a key of 8000 bytes', 400, 'Sec-WebSocket-Key: ' . 'A' x 8000],
	['700 keys', 400, fill('Sec-WebSocket-Key: ' . WsClient::KEY)],
	['1000 versions', 400, fill('Sec-WebSocket-Version: 13')],
	['an origin of 8000 bytes', 403, 'Origin: http://' . 'b.' x 3990],
	['2400 origins', 400, fill('Origin: x')],
);

$t->ws('/ws')->text('warm')->read;
my $others = Bystander->new($t);
my ($peak, $all) = ($t->peak($worker), cpu());

for (@attacks) {
	my ($name, $status, @headers) = @$_;
	my $request = WsClient::upgrade(headers => \@headers);
	my $cpu = cpu();
	my %got;
	$got{$t->http($request)->status}++ for 1 .. TIMES;
	$cpu = cpu() - $cpu;
	is(join(' ', %got), "$status " . TIMES, $name);
	cmp_ok($cpu / TIMES, '<', 0.01 * $slow, "$name: seconds of CPU")
		or diag($cpu);
	$others->ask;
}

my $grown = $t->peak($worker) - $peak;
$all = cpu() - $all;
my $count = TIMES * @attacks;
note(sprintf '%d handshakes: memory %d kB, CPU %.2f ms each', $count, $grown,
	1000 * $all / $count);
$t->uses($grown, 2048, 'kilobytes of memory');

# What a socket keeps of 30 kilobytes of headers, as long as it lives.

my $request = WsClient::upgrade(headers => [fill('X-X: ' . 'x' x 8000)]);
my $rss = $t->rss($worker);
my @sockets = map { $t->http($request) } 1 .. 200;
$others->served;
my $each = ($t->rss($worker) - $rss) / @sockets;
note(sprintf 'memory %.1f kB a socket', $each);
cmp_ok($each, '<', 48 * $slow, 'kilobytes a socket');
is((grep { $_->text('x')->read ne 'text:x' } @sockets), 0, 'all of them work');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: a shared rate that delays holds over all sockets of a key,
# and what it is owed has a bound.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 1024;');

ws_message_zone $arg_k zone=slow:64k rate=30r/m;
ws_message_zone $arg_k zone=fast:64k rate=10r/s;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /delay  { ws_echo; ws_message_limit zone=slow burst=2 delay; }
    location = /reject { ws_rest /api/; ws_message_limit zone=slow burst=2 reject; }
    location = /fast   { ws_echo; ws_message_limit zone=fast delay; }
    location = /burst  { ws_echo; ws_message_limit zone=fast burst=10 delay; }
    location /api/     { return 200 fine; }
}

EOF

###############################################################################

# Two hundred sockets have each sent one message, and are gone.

my @crowd = map { $t->ws('/delay?k=a') } 1 .. 200;
$_->text('x') for @crowd;
is($crowd[0]->read, 'text:x', 'the first is served');
$_->hang_up for @crowd;

my $reply = RestClient->open($t, '/reject?k=a')->get('/api/x');
is($reply->{status}, 429, 'over the rate');
cmp_ok($reply->{retry_after_ms} // 10 ** 9, '<=', 10_000,
	'but within seconds of it');
is(RestClient->open($t, '/reject?k=b')->get('/api/x')->{status}, 200,
	'another key owes nothing');

# Two messages of each of twenty sockets, in turns and all of one at once.

for my $order (sub { map { [$_, 1], [$_, 2] } 0 .. 19 },
	sub { (map { [$_, 1] } 0 .. 19), map { [$_, 2] } 0 .. 19 }) {
	for (['/fast', 0], ['/burst', 10]) {
		my ($path, $burst) = @$_;
		my $key = $path . ($order->())[1][1];
		my @sockets = map { $t->ws("$path?k=$key") } 1 .. 20;
		my $start = time;
		$sockets[$_->[0]]->text($_->[1]) for $order->();

		my %echoes = map { $_ => '' } 0 .. 19;
		my @times;
		until (@times == 40 || time - $start > 8 * $NginxWs::slow) {
			for my $i (keys %echoes) {
				my $echo = $sockets[$i]->read(0.001);
				next if $echo eq 'timeout';
				$echoes{$i} .= "$echo ";
				push @times, time - $start;
			}
		}

		is((grep { $_ eq 'text:1 text:2 ' } values %echoes), 20,
			"$key: all are echoed, in order");
		my $took = $times[-1] // 0;
		my $expected = (40 - 1 - $burst) / 10;
		note(sprintf "%s: 40 messages in %.1f s", $key, $took);
		cmp_ok($took, '>=', $expected - 0.3, "$key: no faster than the rate");
		# Whose turn it is, is not decided by anybody: some of it goes unused.
		cmp_ok($took, '<', 2 * $expected + 1.5 * $NginxWs::slow,
			"$key: nor much slower");
		my @early = grep { $_ < 1 } @times;
		cmp_ok(scalar @early, '<=', $burst + 12, "$key: in the first second");
	}
}

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: ws_worker_inflight bounds the calls of a worker, and
# sockets that wait get their turn.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

ws_worker_inflight 2;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

# The most requests that the backend had at once.

sub most {
	my ($now, $most) = (0, 0);
	for (RestClient::seen($t)) {
		$now += /^[A-Z]/ ? 1 : -1;
		$most = $now if $now > $most;
	}
	return $most;
}

sub slow { {id => $_[0], path => "/api/$_[0]?body=&delay=" . ($_[1] // 50)} }

# Many sockets with one call each.

my @s = map { RestClient->open($t) } 1 .. 10;
$s[$_]->send(slow($_)) for 0 .. 9;
is(join(' ', map { $s[$_]->decoded->{id} } 0 .. 9), join(' ', 0 .. 9),
	'all sockets are answered');
is(most(), 2, 'two at a time');

# Sockets that have nothing to say are no obstacle for those behind them.

my ($busy, $other) = map { RestClient->open($t) } 1 .. 2;
$busy->send(slow('busy', 300));
$other->send(slow('other', 300));
$t->wait_for(sub { RestClient::seen($t) >= 22 });

my @idle = map { RestClient->open($t) } 1 .. 5;
my $late = RestClient->open($t);
$late->send(slow('late', 1));
is($late->decoded(3)->{id} // 'no reply', 'late',
	'a call behind sockets without calls');
$_->reply for $busy, $other;

# Half a message is no call yet.

$_->send(slow('first', 200)) for $busy, $other;
$t->wait_for(sub { RestClient::seen($t) >= 28 });
my @half = map { RestClient->open($t) } 1 .. 3;
$_->write("\x81\xff\x00\x00") for @half;
$late->send(slow('late', 1));
is($late->decoded(3)->{id} // 'no reply', 'late',
	'a call behind halves of messages');
$_->reply for $busy, $other;
$_->hang_up for @half;

# A socket that waits may leave.

$_->send(slow('first', 200)) for $busy, $other;
$t->wait_for(sub { RestClient::seen($t) >= 34 });
my @leaving = map { RestClient->open($t)->send(slow('gone', 1)) } 1 .. 3;
$late->send(slow('late', 1));
$leaving[0]->hang_up;
$leaving[1]->reset;
$leaving[2]->close(1000);
is($late->decoded(3)->{id} // 'no reply', 'late',
	'a call behind sockets that left');
$_->reply for $busy, $other;

# A call that came with the handshake is not forgotten.

$_->send(slow('first', 300)) for $busy, $other;
$t->wait_for(sub { RestClient::seen($t) >= 38 });
my $early = RestClient->open($t, '/ws', more =>
	WsFrame::encode(1, '{"id":"early","path":"/api/?body=&delay=1"}'));
is($early->decoded(3)->{id} // 'no reply', 'early',
	'a call in the packet of the handshake');
$_->reply for $busy, $other;

# One socket with much to do does not keep out another.

my $greedy = RestClient->open($t);
$greedy->send(slow($_, 40)) for 1 .. 40;
$late->send(slow('late', 1));
my $sum = 0;
is($late->decoded(3)->{id} // 'no reply', 'late', 'a call beside a queue');
$greedy->pump(sub { 0 }, timeout => 0.01);
my $replies = () = $greedy->{in} =~ /"status":200/g;
cmp_ok($replies, '<', 20, 'is not answered last');
is(join(' ', sort { $a <=> $b } map { $greedy->decoded->{id} } 1 .. 40),
	join(' ', 1 .. 40), 'the queue is answered as well');
is(most(), 2, 'never more than two at a time');

$t->finish;

###############################################################################

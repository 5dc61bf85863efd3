#!/usr/bin/perl

# Tests for ws_rest: an event that was meant for a connection that is gone does
# not reach the call that has its place in memory.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::IP;
use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

# A backend that answers nothing, and closes its connections when it is told.

my $holder = IO::Socket::IP->new(Listen => 64, ReuseAddr => 1,
	LocalHost => '127.0.0.1', LocalPort => $t->port('held')) or die "listen: $!\n";

$t->run(<<'EOF');

limit_req_zone $server_port zone=wait:64k rate=50r/s;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /ws  { ws_rest /; ws_inflight 32; }
    location /held/ { proxy_pass http://127.0.0.1:%%PORT_held%%; }
    location /slow/ { proxy_pass http://127.0.0.1:%%PORT_backend%%; }
    location /wait/ { limit_req zone=wait burst=20; error_page 404 = /now; }
    location /now   { return 200 now; }
}

EOF

###############################################################################

my $worker = ($t->workers)[0];

# The worker does nothing until it is told to go on: then it finds all that has
# happened meanwhile at once, in the order in which it has.

sub stopped {
	kill 'STOP', $worker;
	$t->wait_for(sub {
		open my $file, '<', "/proc/$worker/stat" or die "no worker\n";
		return <$file> =~ /\) T /;
	}) or die "the worker does not stop\n";
}

# The calls of the other client use some places that the first has left: those
# that wait keep one each, those that are answered at once use one twice, together
# with the one behind them.

sub attempt {
	my ($end, $held, $waiting) = @_;
	my @paths = (('/wait/') x $waiting, ('/now', '/slow/?body=&delay=100') x 5);
	my $leaving = RestClient->open($t);
	my $other = RestClient->open($t);

	$leaving->send({id => $_, path => '/held/'}) for 1 .. $held;
	my @connections = map { scalar $holder->accept } 1 .. $held;
	sysread $_, my $request, 4096 for @connections;

	stopped();
	$end->($leaving);
	$other->write(join '', map { WsFrame::encode(1,
		qq/{"id":1,"path":"$_"}/) } @paths);
	close $_ for @connections;
	kill 'CONT', $worker;

	my %seen;
	$seen{$other->decoded->{status}}++ for @paths;
	$leaving->hang_up;
	return join ' ', map { "$seen{$_} times $_" } sort keys %seen;
}

my %ends = (
	leaves => sub { $_[0]->hang_up },
	'is reset' => sub { $_[0]->reset },
	closes => sub { $_[0]->close(1000) },
);

for my $name (sort keys %ends) {
	for my $held (1, 4) {
		for my $waiting (0 .. 5) {
			my $calls = $waiting + 10;
			is(attempt($ends{$name}, $held, $waiting), "$calls times 200",
				"a client with $held calls $name, another has $calls");
		}
	}
}

$t->finish;

###############################################################################

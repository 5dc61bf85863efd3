#!/usr/bin/perl

# Tests for ws_rest: a socket that never stops calling does not keep the worker
# from the others.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use NginxWs;
use RestClient;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

ws_zone calls 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
        ws_send_queue 64m;
    }

    location /api/ {
        return 200 x;
    }

    location /api/none {
        access_log %%TESTDIR%%/none.log;
        return 404;
    }

    location = /status {
        ws_status json;
    }
}

EOF

###############################################################################

# As many calls as the kernel takes, more than 30,000.  Each is answered at once,
# so that ws_inflight never holds them back.

my $worker = ($t->workers)[0];

sub cpu {
	open my $stat, '<', "/proc/$worker/schedstat" or die "no worker\n";
	return (split ' ', <$stat>)[0] / 1e9;
}

# How many calls were answered.

sub answered {
	my $rest = decode_json($t->http("GET /status HTTP/1.0\r\n\r\n")->body)
		->{calls}{rest};
	return $rest->{'2xx'} + $rest->{'4xx'};
}

for my $path ('/api/x', '/api/none') {
	my $frame = WsFrame::encode(1, qq/{"path":"$path"}/);
	my $answered = answered();
	my $greedy = RestClient->open($t);
	my $other = RestClient->open($t);
	my $start = cpu();
	kill 'STOP', $worker;
	my $calls = int($greedy->stuff($frame x 200_000, 0.1) / length $frame);
	kill 'CONT', $worker;

	my $most = 0;
	for (1 .. 20) {
		my $before = cpu();
		is($other->get('/api/y')->{status}, 200, "$path: others are answered");
		my $used = cpu() - $before;
		$most = $used if $used > $most;
	}
	cmp_ok($most, '<', 0.05 * $NginxWs::slow,
		"$path: seconds of the worker's CPU until then");
	$t->wait_for(sub { answered() >= $answered + $calls + 20 }, 60);
	my $all = cpu() - $start;
	cmp_ok($all, '>', 2 * $most, "$path: all calls take far longer");
	note(sprintf '%s: %.3f s of %.3f for %d', $path, $most, $all, $calls);
	$greedy->hang_up;
}

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: sockets that hand the worker's places to each other do not
# keep the worker from the others.

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

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

ws_worker_inflight 1;
ws_zone calls 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_send_queue 64m;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location = /status {
        ws_status json;
    }

    location / {
        return 200 x;
    }
}

EOF

###############################################################################

# All of them wait for one slow call.  Then each call is answered at once, and
# the place goes to the next socket.

my $worker = ($t->workers)[0];
my $slow = RestClient->open($t);
my @greedy = map { RestClient->open($t) } 1 .. 8;

$slow->send({id => 'slow', path => '/api/?body=&delay=500'});
RestClient::wait_seen($t, qr!/api/!);
my $frame = WsFrame::encode(1, '{"path":"/x"}');
my $calls = 1;
for (@greedy) {
	$calls += int($_->stuff($frame x 20_000, 0.02) / length $frame);
}
my $start = $t->cpu($worker);
is($slow->decoded->{id}, 'slow', 'the slow call');

my $most = 0;
for (1 .. 20) {
	my $before = $t->cpu($worker);
	is($t->http("GET /ok HTTP/1.0\r\n\r\n")->body, 'x', 'others are served');
	my $used = $t->cpu($worker) - $before;
	$most = $used if $used > $most;
}
cmp_ok($most, '<', 0.05 * $NginxWs::slow,
	"seconds of the worker's CPU until then");
$t->wait_for(sub {
	my $status = $t->http("GET /status HTTP/1.0\r\n\r\n")->body;
	return decode_json($status)->{calls}{rest}{'2xx'} >= $calls;
}, 60);
my $all = $t->cpu($worker) - $start;
cmp_ok($all, '>', 2 * $most, 'all calls take far longer');
note(sprintf '%.3f s of %.3f for %d', $most, $all, $calls);

$t->finish;

###############################################################################

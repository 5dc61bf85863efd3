#!/usr/bin/perl

# Tests for WebSocket: a handshake that ends while the worker leaves.

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

limit_req_zone $arg_key zone=slow:1m rate=2r/s;

server {
    listen 127.0.0.1:%%PORT%%;

    location /delayed {
        ws_echo;
        ws_drain 600ms;
        limit_req zone=slow burst=2;
    }
}

EOF

###############################################################################

# The second handshake of a key waits for half a second, the third for one; the
# reload comes before they are answered.

my $first = $t->ws('/delayed?key=a');
my @late = map { WsClient->new(port => $t->port) } 1 .. 2;
$_->write(WsClient::upgrade(path => '/delayed?key=a')) for @late;
ok($t->wait_for(sub { $t->error_log =~ /delaying request.*delaying request/s }),
	'handshakes wait');

my ($old) = $t->reload;
my $start = time;

is(join(' ', map { $_->response } @late), '101 101', 'late handshakes');

for my $s ($first, @late) {
	is(join(' ', $s->read_close), '1001 going away', 'close');
	is($s->close(1001)->end, 'eof', 'end');
}

ok($t->gone($old, 3), 'the old worker is gone');
cmp_ok(time - $start, '<', 1 + 0.6 + 3 * $NginxWs::slow, 'in time');

$t->finish;

###############################################################################

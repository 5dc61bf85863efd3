#!/usr/bin/perl

# Tests for WebSocket: worker_shutdown_timeout ends a long ws_drain.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', main => 'worker_shutdown_timeout 600ms;');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_drain 1h;
        ws_close_timeout 1h;
    }
}

EOF

###############################################################################

my $idle = $t->ws('/ws');
my $half = $t->ws('/ws')->text('half', length => 1000);
my $deaf = $t->ws('/ws', rcvbuf => 4096);
$deaf->stuff("\x82\xfe\x03\xe8mask" . 'x' x 1000, 0.1);

my $start = time;
my ($old) = $t->reload;

ok($t->gone($old, 3), 'the old worker is gone');
my $took = time - $start;
cmp_ok($took, '>=', 0.5, 'not before worker_shutdown_timeout');
cmp_ok($took, '<', 0.6 + 2 * $NginxWs::slow, 'not long after it');

$t->closes($idle, 1001, 'an idle socket is told');
$t->closes($half, 1001, 'a socket in the middle of a frame is told');
$t->closes($deaf, 1001, 'a socket with an echo to read is told');

is($t->ws('/ws')->text('new')->read, 'text:new', 'the new worker echoes');

$t->finish;

###############################################################################

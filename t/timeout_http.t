#!/usr/bin/perl

# Tests for WebSocket: timeouts and limits of HTTP do not touch sockets.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

client_header_timeout 300ms;
client_body_timeout 300ms;
keepalive_timeout 300ms;
keepalive_requests 1;
keepalive_time 300ms;
send_timeout 300ms;
lingering_time 300ms;
lingering_timeout 300ms;
reset_timedout_connection on;
client_max_body_size 1k;
limit_rate 1k;
postpone_output 1m;
tcp_nopush on;
sendfile on;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $s = $t->ws('/ws');

is($s->text('x' x 300_000)->read(5), 'text:' . 'x' x 300_000,
	'limit_rate, client_max_body_size');
is($s->text('y')->read(5), 'text:y', 'small message after a large one');
ok($s->silent(0.9), 'nothing happens for three timeouts');
is($s->text('still here')->read, 'text:still here', 'echo after them');

$s->text('half', fin => 0);
ok($s->silent(0.5), 'half a message may take its time');
is($s->continuation(' and half')->message, 'text:half and half', 'whole');
$t->closes($s->close(1000), 1000, 'close');

$t->finish;

###############################################################################

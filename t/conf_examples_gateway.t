#!/usr/bin/perl

# Tests for conf/examples/websocket-gateway.conf: in front of Node's ws.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Example;
use JSON::PP;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = Example->new('websocket-gateway');
my $node = $t->backend(8000, qw/node gateway.js PORT/);
$t->go;

###############################################################################

my $url = 'ws://127.0.0.1:' . $t->port(8080);
is($t->client('node', 'gateway_client.js', "$url/ws-notifications"), <<'EOF2',
open
text, binary
pings
closed
EOF2
	'ws to ws');

my $s = $t->ws(8080, '/ws-notifications', name => 'gateway.example:8080',
	headers => ['X-Forwarded-For: 192.0.2.7', 'Sec-WebSocket-Protocol: a, b']);
my ($hello) = $s->message =~ /^text:(.*)/;
my $headers = decode_json($hello)->{headers};
is_deeply([@$headers{qw/host x-forwarded-for x-real-ip x-forwarded-proto/}],
	['gateway.example:8080', '192.0.2.7, 127.0.0.1', '127.0.0.1', 'http'],
	'what the server is told');
is($s->header('Sec-WebSocket-Protocol'), 'a', 'subprotocol');

# Everything else.

is($t->get(8080, '/health')->body, "ok\n", 'health');
is($t->get(8080, $_)->status, 404, $_)
	for '/', '/ws-notifications/', '/ws-notificationsx';
is($t->get(8080, '/ws-notifications')->status, 426,
	'no upgrade: the answer of ws');
ok(!(grep { m!/health! } $t->access_log('logs/access.log')), 'no log of health');

# A reload leaves the sockets alone.

my @old = $t->reload;
is($s->text('still here')->message, 'text:still here', 'after a reload');
$t->closes($s->close(1000), 1000, 'close');
ok($t->gone($_), 'the old worker leaves') for @old;

# The server dies, and comes back.

$s = $t->ws(8080, '/ws-notifications');
Example::stop_backend($node);
is($s->read_close // $s->end, 'eof', 'the server died');
is($t->get(8080, '/ws-notifications')->status, 502, 'and is gone');
$t->backend(8000, qw/node gateway.js PORT/);
# One failure, and fail_timeout of the upstream: a lone server is always tried.
is($t->ws(8080, '/ws-notifications')->message =~ /^text:/, 1, 'and comes back');

$t->finish;

###############################################################################

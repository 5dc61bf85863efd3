#!/usr/bin/perl

# Tests for conf/examples/channels.conf: in front of Django and Channels, under
# daphne and under uvicorn.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Example;
use JSON::PP;
use Test::More;
use Time::HiRes qw/sleep time/;

###############################################################################

my $t = Example->new('channels');
my $application = $t->backend(8000,
	qw/daphne -b 127.0.0.1 -p PORT asgi:application/);
$t->go;

my ($plain, $tls) = (80, 443);

###############################################################################

sub all_is_well {
	my ($name, $scheme, $port) = @_;
	is($t->client('python', 'asgi_client.py',
		"$scheme://127.0.0.1:" . $t->port($port)), <<'EOF2', "$name, $scheme");
text, binary
close code
scope
groups
origin
EOF2
}

sub settle { sleep 11 / 5 }	# the burst is free again

all_is_well('daphne', 'ws', $plain);

# Requests.

for ([$plain, 'http'], [$tls, 'https', tls => 1]) {
	my ($port, $scheme, @o) = @$_;
	my $response = $t->get($port, '/x/y?z=1', name => 'localhost:8888', @o,
		headers => ['X-Forwarded-Proto: gopher']);
	is($response->status, 200, "a request over $scheme");
	my $seen = decode_json($response->body);
	is($seen->{url}, "$scheme://localhost:8888/x/y?z=1", 'its URL for Django');
	is($seen->{headers}{'X-Forwarded-For'}, '127.0.0.1', 'its client');
}

my $response = $t->get($plain, '/post', method => 'POST', body => 'x' x 100000);
is(length decode_json($response->body)->{body}, 100000, 'POST');
is($t->get($plain, '/ws/echo/')->status, 200, 'no upgrade, so a request');
is($t->get($plain, '/', name => 'evil.example')->status, 400,
	'Django sees the Host');

# An address may have five sockets, over both servers together.

settle();

my @origin = (headers => ['Origin: http://localhost']);
my @sockets = map { $t->ws($plain, '/ws/echo/', @origin) } 1 .. 3;
push @sockets, map { $t->ws($tls, '/ws/echo/', tls => 1, @origin) } 1 .. 2;

sub handshake {
	my ($port, %o) = @_;
	return $t->http('/ws/echo/', port => $t->port($port), @origin, %o)->status;
}

is(handshake($plain), 429, 'a sixth socket');
is(handshake($tls, tls => 1), 429, 'over TLS');
is($_->text('x')->message, 'text:x', 'one of five')
	for @sockets;
is($t->get($plain, '/')->status, 200, 'requests are not counted');

$t->closes((pop @sockets)->close(1000), 1000, 'one closes');
ok($t->wait_for(sub { handshake($plain) eq '101' }), 'another may open');
$_->hang_up for @sockets;

# Ten handshakes more than five in a second.

settle();

my $accepted = 0;
my $began = time;
while ($accepted < 100) {
	my $s = $t->http('/ws/none/', port => $t->port($plain));
	last if $s->status eq '429';
	$s->hang_up;
	$accepted++;
}
cmp_ok($accepted, '>=', 11, 'a burst of ten');
cmp_ok($accepted, '<=', 12 + 5 * (time - $began), 'and five a second');

# A server that people use as well.

Example::stop_backend($application);
is($t->get($plain, '/')->status, 502, 'stopped');
$t->backend(8000, qw/uvicorn --host 127.0.0.1 --port PORT
	--no-access-log asgi:application/);
settle();
all_is_well('uvicorn', 'wss', $tls);

$t->finish;

###############################################################################

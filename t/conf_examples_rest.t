#!/usr/bin/perl

# Tests for conf/examples/rest-bridge.conf: in front of a REST service of Django,
# over HTTP and over WebSocket.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Example;
use JSON::PP;
use RestClient;
use Test::More;
use Time::HiRes qw/sleep/;

###############################################################################

my $t = Example->new('rest-bridge');
my $service = $t->backend(8000,
	qw/daphne -b 127.0.0.1 -p PORT asgi:application/);
$t->go;

# A client: its session as a Cookie, and the same calls over both ways.

sub login {
	my ($user) = @_;
	my $response = $t->get(8080, "/login?user=$user");
	my ($cookie) = $response->header('Set-Cookie') =~ /(sessionid=[^;]+)/;
	return "Cookie: $cookie";
}

sub http {
	my ($who, $method, $path, $body) = @_;
	return $t->get(8080, $path, method => $method, body => $body,
		headers => [$who ? $who : (), 'Content-Type: application/json']);
}

sub connected {
	my ($who, @headers) = @_;
	return RestClient->open($t, '/ws', port => $t->port(8080),
		headers => [$who, @headers]);
}

sub handshake {
	my (@headers) = @_;
	return $t->http('/ws', port => $t->port(8080), headers => \@headers)->status;
}

my ($alice, $bob) = map { login($_) } qw/alice bob/;

###############################################################################
# Who may.

is(http($alice, GET => '/api/orders')->status, 200, 'HTTP with a session');
is(http(undef, GET => '/api/orders')->status, 401, 'HTTP without');
is(handshake(), 401, 'WebSocket without');
is(handshake('Cookie: sessionid=forged'), 401, 'a forged one');
is(handshake($alice, 'Origin: http://evil.example'), 403, 'a foreign page');
is(handshake($alice, 'Origin: http://localhost'), 101, 'our page');
is($t->get(8080, $_)->status, 404, "$_ is internal")
	for '/session', '/internal/report/2026';

# The service, both ways.

my $s = connected($alice);
my $reply = $s->call({id => 'a', action => 'order.add', body => {item => 'tea'}});
is_deeply($reply, {id => 'a', status => 201, headers => {
	'content-type' => 'application/json', location => '/api/orders/1'},
	body => {id => 1, user => 'alice', item => 'tea'}}, 'an action');
is(http($alice, POST => '/api/orders', '{"item":"milk"}')->status, 201,
	'the same over HTTP');
is_deeply($s->get('/api/orders')->{body},
	decode_json(http($alice, GET => '/api/orders')->body), 'both are one list');
is($s->call({action => 'order', params => {id => 2}})->{body}{item}, 'milk',
	'an action with a parameter');
is($s->status_of('/api/orders/2'), 200, 'a path');

my $other = connected($bob, 'X-User: alice');
is($other->status_of('/api/orders/2'), 404, 'not of another user');
is_deeply($other->get('/api/orders')->{body}, [], 'who cannot forge a name');
is_deeply(decode_json(http($bob, GET => '/api/orders')->body), [],
	'over HTTP neither');

$reply = $s->call({id => 1, action => 'report', params => {year => 2026}});
is_deeply($reply->{body}, {year => 2026, user => 'alice'},
	'an internal location, by its action');
is($s->status_of($_), 404, "no path $_")
	for '/internal/report/2026', '/api/../internal/report/2026', '/session',
	'/health', '/login';
is($s->call({id => 1, path => '/api/x', headers => {'X-User' => 'bob'}})->{error},
	'header_not_allowed', 'a message cannot forge a name');
is($s->call({id => 1, path => '/api/x', headers => {'Idempotency-Key' => 'k1'}})
	->{body}{headers}{'Idempotency-Key'}, 'k1', 'a header that it may send');
my $seen = $s->get('/api/x')->{body}{headers};
is_deeply([@$seen{qw/X-User X-Forwarded-For X-Forwarded-Proto Upgrade/}],
	['alice', '127.0.0.1', 'http', undef], 'what the service is told');

# Cache: one answer for both ways and all users.

my $first = $s->get('/api/catalog/a');
is($first->{headers}{'x-cache'}, 'MISS', 'asked of the service');
$reply = $other->get('/api/catalog/a');
is($reply->{headers}{'x-cache'}, 'HIT', 'from the cache');
is($reply->{body}{number}, $first->{body}{number}, 'the same');
my $response = http($alice, GET => '/api/catalog/a');
is($response->header('X-Cache'), 'HIT', 'over HTTP');
is(decode_json($response->body)->{number}, $first->{body}{number}, 'the same');
is($response->header('Set-Cookie'), undef, 'no cookie in it');
is(http(undef, GET => '/api/catalog/a')->status, 401, 'not for strangers');

# Limits: of a user, over two sockets.

my @carol = map { connected($_) } (login('carol')) x 2;
my (%status, $limited);
for (1 .. 50) {
	$_->send({id => 1, path => '/api/catalog/a'}) for @carol;
}
for (1 .. 100) {
	my $reply = $carol[$_ % 2]->decoded;
	$status{$reply->{status}}++;
	$limited //= $reply if $reply->{status} eq '429';
}
cmp_ok($status{200} // 0, '>=', 40, 'a burst of 40');
cmp_ok($status{429} // 0, '>=', 20, 'more is refused') or diag(explain(\%status));
is_deeply([sort keys %status], [200, 429], 'and nothing else happens');
cmp_ok($limited->{retry_after_ms}, '>', 0, 'when to try again');
is($other->status_of('/api/catalog/a'), 200, 'another user is not');

# Of an address, over HTTP and WebSocket together.

my @got = map { http($bob, GET => '/api/catalog/a')->status } 1 .. 250;
is((grep { $_ == 429 } @got) > 0, 1, 'many requests over HTTP');
my @refused = grep { $_->{status} == 429 && !$_->{error} }
	map { $other->get('/api/catalog/a') } 1 .. 10;
cmp_ok(scalar @refused, '>', 0, 'leave few for messages');
sleep 0.5;
is($other->status_of('/api/catalog/a'), 200, 'for half a second');

# Metrics.

my $metrics = $t->get(9145, '/metrics')->body;
like($metrics, qr/^ws_sockets\{zone="bridge"\} 4$/m, 'sockets');
like($metrics, qr/^ws_limited_messages_total\{zone="bridge"
	,action="reject"\}\ @{[$status{429}]}$/mx, 'refused messages');

# The service goes and comes back.  What it says of a session is kept for five
# seconds.

is($t->get(8080, '/health')->body, "ok\n", 'health');
$s = connected(login('dave'));
Example::stop_backend($service);
is($s->status_of('/api/orders'), 502, 'no service');
like($s->get('/api/catalog/a')->{headers}{'x-cache'}, qr/^(HIT|STALE)$/,
	'what is kept is served');
$t->backend(8000, qw/uvicorn --host 127.0.0.1 --port PORT
	--no-access-log asgi:application/);
ok($t->wait_for(sub { $s->status_of('/api/orders') == 200 }),
	'the same socket, when it is back');

$t->closes($s->close(1000), 1000, 'close');
ok($t->wait_for(sub { grep { m!^127\.0\.0\.1\ dave\ .*\ "GET\ /ws\ HTTP/1\.1"\ 101
	\ close=1000\ messages=\d+/\d+!x } $t->access_log('logs/access.log') }),
	'the log of a socket');
is((grep { m!^127\.0\.0\.1 alice .* "POST /api/orders HTTP/1\.1" 201 ! }
	$t->access_log('logs/access.log')), 2, 'of a message and a request');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for conf/examples/api-gateway.conf: in front of a STOMP broker, a chat, an
# application with Server-Sent Events and a REST service.

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

my $t = Example->new('api-gateway');
$t->backend(15674, qw/node stomp.js PORT/);
$t->backend(8001, qw/node gateway.js PORT/);
$t->backend(8002, qw/uvicorn --host 127.0.0.1 --port PORT --log-level warning
	sse:application/);
my $rest = $t->backend(8003, 'python3', 'rest.py', 'PORT',
	$t->dir . '/rest.record');
$t->go;

my ($plain, $tls) = (80, 443);
my $at = '127.0.0.1:' . $t->port($tls);

###############################################################################

is($t->client('node', 'stomp_client.js', "wss://$at/api/ws/"), <<'EOF2', 'STOMP');
connected
messages
order
unsubscribed
heart-beats
closed
EOF2

is($t->client('node', 'sse_client.js', "https://$at/api/sse/"), <<'EOF2', 'events');
event by event
the application sees the client leave
reconnects with Last-Event-ID
headers
EOF2

is($t->client('node', 'gateway_client.js', "wss://$at/ws/chat/abc"), <<'EOF2',
open
text, binary
pings
closed
EOF2
	'chat');

# Sessions of the chat.

sub chat {
	my ($id) = @_;
	my $s = $t->ws($tls, "/ws/chat/$id", tls => 1,
		headers => ['X-Session-Id: forged']);
	my ($hello) = $s->message =~ /^text:(.*)/;
	$s->{hello} = decode_json($hello);
	return $s;
}

my ($one, $two, $other) = map { chat($_) } qw/blue blue x_Y-9/;
is_deeply([map { $_->{hello}{headers}{'x-session-id'} } $one, $two, $other],
	[qw/blue blue x_Y-9/], 'the session of the path');
is($one->{hello}{headers}{'x-forwarded-proto'}, 'https', 'X-Forwarded-Proto');
$one->text('to blue');
is($_->message, 'text:to blue', 'one session') for $one, $two;
ok($other->silent(0.2), 'not another');

for ('', 'a/b', 'a.b', 'x' x 65, '%20') {
	is($t->get($tls, "/ws/chat/$_", tls => 1)->status, 404,
		"no session '$_'");
}

# REST.

my $answer = $t->get($tls, '/api/orders?a=b', tls => 1, method => 'POST',
	body => '{"x":1}', headers => ['X-Forwarded-For: 192.0.2.7']);
my $seen = decode_json($answer->body);
my %headers = map { lc $_->[0] => $_->[1] } @{$seen->{headers}};
is("$seen->{method} $seen->{target} $seen->{body}",
	'POST /api/orders?a=b {"x":1}', 'REST');
is_deeply([@headers{qw/x-forwarded-for x-forwarded-proto x-real-ip host/}],
	['192.0.2.7, 127.0.0.1', 'https', '127.0.0.1', 'localhost'],
	'what it is told');
is($answer->header('Strict-Transport-Security'), 'max-age=31536000', 'HSTS');

$t->get($tls, "/api/$_", tls => 1) for 1 .. 3;
my %connections = map { $_ => 1 } $t->read_file('rest.record')
	=~ /^request \d+ (\d+) /mg;
cmp_ok(keys %connections, '<', 4, 'connections are kept');

# HTTP is for redirects.

for my $path ('/', '/api/orders?a=b', '/ws/chat/abc', '/api/ws/') {
	my $redirect = $t->get($plain, $path, name => 'gateway.example:8080');
	is($redirect->status . ' ' . $redirect->header('Location'),
		"301 https://gateway.example$path", "redirect of $path");
}
is($t->http('/api/ws/', port => $t->port($plain))->status, 301,
	'redirect of a handshake');

# Health, and no log of it.

is($t->get($plain, '/health')->body, "ok\n", 'health');
is($t->get($tls, '/health', tls => 1)->body, "ok\n", 'health over TLS');
is($t->get($tls, '/other', tls => 1)->status, 404, 'nothing else');
ok($t->wait_for(sub { grep { m!"GET /other ! }
	$t->access_log('logs/access.log') }), 'other requests are logged');
ok(!(grep { m!"GET /health ! } $t->access_log('logs/access.log')),
	'health is not');

# TLS.

sub speaks {
	my ($version) = @_;
	my $output = qx{openssl s_client -connect $at -$version \\
		-cipher ALL:\@SECLEVEL=0 -alpn h2,http/1.1 </dev/null 2>&1};
	return join ' ', $output =~ /^New, (\S+), Cipher is (?!\(NONE)/m,
		$output =~ /^ALPN protocol: (\S+)/m;
}

like(speaks('tls1_3'), qr/^TLSv1\.3 h2$/, 'TLS 1.3, HTTP/2');
like(speaks('tls1_2'), qr/^TLSv1\.2 h2$/, 'TLS 1.2, HTTP/2');
is(speaks($_), '', "no $_") for qw/tls1_1 tls1/;

# A stream may be silent as long as the snippet says: two seconds, for this.

$t->snippet('sse-proxy', '24h' => '2s');
$t->reload;
my $start = time;
like($t->get($tls, '/api/sse/events', tls => 1)->body, qr/^data: first\r\n/m,
	'a stream');
cmp_ok(time - $start, '>', 1.5, 'that ends with its time');

# The service is gone.

Example::stop_backend($rest);
is($t->get($tls, '/api/orders', tls => 1)->status, 502, 'no REST');
is(chat('blue')->text('x')->message, 'text:x', 'but a chat');

$t->finish;

###############################################################################

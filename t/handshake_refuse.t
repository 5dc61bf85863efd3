#!/usr/bin/perl

# Tests for WebSocket: handshakes that are refused, and how.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $key = 'Sec-WebSocket-Key: ' . WsClient::KEY;
my %upgrade = (
	line => 'GET /ws HTTP/1.1', host => 'Host: localhost',
	upgrade => 'Upgrade: websocket', connection => 'Connection: Upgrade',
	key => $key, version => 'Sec-WebSocket-Version: 13', more => '', body => '',
);

# A handshake with some of its lines replaced, or left out when empty.

sub request {
	my %r = (%upgrade, @_);
	return join("\r\n", grep({ length }
		@r{qw/line host upgrade connection key version more/}), '', '')
		. $r{body};
}

sub refused {
	my ($status, $name, @changes) = @_;
	my $s = $t->http(request(@changes));
	is($s->status, $status, $name);
	return $s;
}

is($t->http(request())->status, 101, 'the model itself');

# 426: this is no upgrade, but could be one.

for (
	['plain request', upgrade => '', connection => '', key => '',
		version => ''],
	['no upgrade header', upgrade => ''],
	['no connection header', connection => ''],
	['connection without upgrade', connection => 'Connection: keep-alive'],
	['upgrade to something else', upgrade => 'Upgrade: h2c'],
	['longer token in upgrade', upgrade => 'Upgrade: websocket2'],
	['shorter token in upgrade', upgrade => 'Upgrade: websocke'],
	['longer token in connection', connection => 'Connection: noupgrade'],
	['form feed in upgrade', upgrade => "Upgrade: \fwebsocket"],
	['form feed in connection', connection => "Connection: close, Upgrade\f"],
	['HTTP/1.0', line => 'GET /ws HTTP/1.0'],
	['no version', version => ''],
	['old version', version => 'Sec-WebSocket-Version: 8'],
	['new version', version => 'Sec-WebSocket-Version: 130'],
	['version with a sign', version => 'Sec-WebSocket-Version: +13'],
	['empty version', version => 'Sec-WebSocket-Version:'],
) {
	my ($name, @changes) = @$_;
	my $s = refused(426, $name, @changes);

	is($s->header('Sec-WebSocket-Version'), '13', "$name: version told");
	is($s->header('Sec-WebSocket-Accept'), undef, "$name: no accept");
}

my $s = refused(426, 'no upgrade', upgrade => '');
is(lc $s->header('Upgrade'), 'websocket', 'upgrade told');
like($s->header('Connection'), qr/\bupgrade\b/i, 'connection told');
like($s->header('Content-Type'), qr!^text/plain!, 'body is text');
like($s->body, qr/WebSocket/i, 'body explains');
cmp_ok(length $s->body, '<', 200, 'body is short');

is($s->handshake, 101, 'connection goes on after 426');

# 400: an upgrade, but a wrong one.

for (
	['no key', key => ''],
	['empty key', key => 'Sec-WebSocket-Key:'],
	['key twice', more => $key],
	['version twice', more => 'Sec-WebSocket-Version: 13'],
	['two versions', more => 'Sec-WebSocket-Version: 8'],
	['key of 15 bytes', key => 'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0O'],
	['key of 17 bytes', key => 'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODxA='],
	['key without padding', key => 'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw'],
	['key not in base64', key => 'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0OD!=='],
	['key in the base64 of URLs',
		key => 'Sec-WebSocket-Key: ____________________-w=='],
	['key with a space inside',
		key => 'Sec-WebSocket-Key: AAECAwQFBgcI QoLDA0ODw=='],
	['body with a length', more => 'Content-Length: 5', body => 'hello'],
	['body in chunks', more => 'Transfer-Encoding: chunked',
		body => "5\r\nhello\r\n0\r\n\r\n"],
) {
	my ($name, @changes) = @$_;
	refused(400, $name, @changes);
}

# 405: the method.

for my $method (qw/POST PUT DELETE OPTIONS PATCH/) {
	my $s = refused(405, $method, line => "$method /ws HTTP/1.1",
		more => 'Content-Length: 0');
	is($s->header('Allow'), 'GET', "$method: GET allowed");
}

my $head = WsClient->new(port => $t->port);
$head->write(request(line => 'HEAD /ws HTTP/1.1'));
$head->pump(sub { $head->{in} =~ /\r\n\r\n/ });
like($head->{in}, qr!^HTTP/1\.1 405 !, 'HEAD');
like($head->{in}, qr!\r\nAllow: GET\r\n!, 'HEAD: GET allowed');

$t->finish;

###############################################################################

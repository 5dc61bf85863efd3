#!/usr/bin/perl

# Tests for WebSocket: the request line of a handshake, its target in either
# form and its version (RFC 6455, 4.2.1).

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

log_format target "$host $uri $args $status";
access_log %%TESTDIR%%/access.log target;

server {
    listen 127.0.0.1:%%PORT%%;
    server_name localhost;

    location = /ws {
        ws_echo;
    }
}

EOF

###############################################################################

sub request {
	my ($line) = @_;
	return join "\r\n", $line, 'Host: localhost', 'Upgrade: websocket',
		'Connection: Upgrade', 'Sec-WebSocket-Key: ' . WsClient::KEY,
		'Sec-WebSocket-Version: 13', '', '';
}

# Targets.

for (
	['/ws?a=b', 'localhost /ws a=b 101'],
	['http://localhost/ws?a=b', 'localhost /ws a=b 101'],
	['https://localhost:443/ws?a=b', 'localhost /ws a=b 101'],
	['HTTP://LOCALHOST/x/%2e%2e/ws?a=b', 'localhost /ws a=b 101'],
	# The target's host counts, not that of the header (RFC 9112, 3.2.2).
	['http://other.example/ws', 'other.example /ws - 101'],
) {
	my ($target, $logged) = @$_;
	my $s = $t->http(request("GET $target HTTP/1.1"));
	is($s->status, 101, $target);
	$s->close(1000)->end;
	is(($t->logged(1))[-1], $logged, "$target: as nginx reads it");
	truncate $t->dir . '/access.log', 0;
}

is($t->http(request("GET $_ HTTP/1.1"))->status, 400, "bad target: $_")
	for 'ws', '*', 'http:///ws', 'http://local host/ws', 'localhost:80';

# Versions: from 1.1 on; what is no HTTP/1 is not understood at all.

for (
	['HTTP/1.1', 101], ['HTTP/1.2', 101], ['HTTP/1.10', 101],
	['HTTP/1.0', 426], ['HTTP/2.0', 505], ['HTTP/0.9', 400],
	['HTTP/1.', 400], ['http/1.1', 400], ['XTTP/1.1', 400],
) {
	my ($version, $status) = @$_;
	my $s = $t->http(request("GET /ws $version"));
	is($s->status, $status, $version);
	like($s->head, qr!^HTTP/1\.1 !, "$version: the answer is HTTP/1.1");
	is($s->text('x')->read, 'text:x', "$version: echo") if $status == 101;
}

# Without a version it is HTTP/0.9, whose answers have no head.

my $old = WsClient->new(port => $t->port)->write("GET /ws\r\n");
is($old->end, 'eof', 'HTTP/0.9: end');
unlike($old->{in}, qr!HTTP/!, 'HTTP/0.9: no head');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: HTTP/2 is told to use HTTP/1.1.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->certificate->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_TLS%% ssl;
    http2 on;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $plain = 'http://127.0.0.1:' . $t->port . '/ws';
my $tls = 'https://127.0.0.1:' . $t->port('TLS') . '/ws';
my $upgrade = join ' ', map { "-H '$_'" } 'Sec-WebSocket-Version: 13',
	'Sec-WebSocket-Key: ' . WsClient::KEY;

for (
	['over TLS', "--http2 -k $tls"],
	['without TLS', "--http2-prior-knowledge $plain"],
	['with the headers of an upgrade', "--http2 -k $upgrade $tls"],
) {
	my ($name, $arguments) = @$_;
	my $answer = qx{curl -sS -i -m 10 $arguments 2>&1};
	my ($head, $body) = split /\r\n\r\n/, $answer, 2;

	like($head, qr!^HTTP/2 426!, "$name: status");
	like($head, qr/^sec-websocket-version: 13\r?$/m, "$name: version told");
	unlike($head, qr/^(?:upgrade|connection):/m,
		"$name: no headers that HTTP/2 forbids");
	like($body, qr/WebSocket/i, "$name: body");
}

# The same server and port over HTTP/1.1.

is($t->ws('/ws', port => $t->port('TLS'), tls => 1)->text('one')->read,
	'text:one', 'HTTP/1.1 over TLS');
is($t->ws('/ws')->text('two')->read, 'text:two', 'HTTP/1.1 without TLS');

$t->finish;

###############################################################################

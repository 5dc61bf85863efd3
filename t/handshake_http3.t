#!/usr/bin/perl

# Tests for WebSocket: HTTP/3 is told to use HTTP/1.1.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new;

plan skip_all => 'nginx without HTTP/3'
	unless qx{'@{[NginxWs::binary()]}' -V 2>&1} =~ /with-http_v3_module/;

$t->certificate->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%% quic;
    listen 127.0.0.1:%%PORT%% ssl;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my @upgrade = ('sec-websocket-version=13',
	'sec-websocket-key=' . WsClient::KEY);

for (['plain request'], ['headers of an upgrade', @upgrade]) {
	my ($name, @headers) = @$_;
	my $answer = $t->client('venv/bin/python', 'http3.py', $t->port, '/ws',
		@headers);

	like($answer, qr/^:status: 426$/m, "$name: status");
	like($answer, qr/^sec-websocket-version: 13$/m, "$name: version told");
	unlike($answer, qr/^(?:upgrade|connection):/m,
		"$name: no headers that HTTP/3 forbids");
	like($answer, qr/WebSocket/, "$name: body");
}

is($t->ws('/ws', tls => 1)->text('x')->read, 'text:x', 'HTTP/1.1 beside it');

$t->finish;

###############################################################################

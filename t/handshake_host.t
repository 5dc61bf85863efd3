#!/usr/bin/perl

# Tests for WebSocket: a handshake names its host, once (RFC 6455, 4.2.1).

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
    server_name one;

    location /ws {
        ws_echo;
        ws_subprotocol one;
    }
}

server {
    listen 127.0.0.1:%%PORT%%;
    server_name two;

    location /ws {
        ws_echo;
        ws_subprotocol two;
    }
}

EOF

###############################################################################

my $upgrade = join "\r\n", 'Upgrade: websocket', 'Connection: Upgrade',
	'Sec-WebSocket-Key: ' . WsClient::KEY, 'Sec-WebSocket-Version: 13',
	'Sec-WebSocket-Protocol: one, two', '', '';

# The status, and the server that answered if it is 101.

sub answer {
	my (@hosts) = @_;
	my $s = $t->http(join '', "GET /ws HTTP/1.1\r\n",
		(map { "$_\r\n" } @hosts), $upgrade);
	return join ' ', $s->status, $s->header('Sec-WebSocket-Protocol') // ();
}

is(answer('Host: two'), '101 two', 'the model itself');
is(answer('HOST: TWO:8080'), '101 two', 'in upper case, with a port');

is(answer(@{$_->[1]}), '400', $_->[0]) for (
	['no host', []],
	['two hosts', ['Host: one', 'Host: two']],
	['the same host twice', ['Host: two', 'Host: two']],
	['the second in lower case', ['Host: two', 'host: two']],
	['a host with a slash', ['Host: two/one']],
	['a host with a NUL', ["Host: t\0wo"]],
);

$t->finish;

###############################################################################

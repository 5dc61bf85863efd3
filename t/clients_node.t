#!/usr/bin/perl

# Tests for WebSocket: Node's ws.

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

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_echo;
        ws_subprotocol chat;
        ws_max_message 4m;
    }
}

EOF

###############################################################################

my $output = $t->client('node', 'node.js', $t->port, $t->port('TLS'));
is($output, "ok\n" x 2, 'plain, TLS');

$t->finish;

###############################################################################

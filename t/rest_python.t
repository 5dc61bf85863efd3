#!/usr/bin/perl

# Tests for ws_rest: Python's websockets as a client.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new->certificate;
RestClient::backend($t);

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_tls%% ssl;
    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_rest /api/;
        ws_compression on;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

is($t->client('venv/bin/python', 'rest.py', $t->port, $t->port('tls')),
	"ok\n" x 3, 'compressed, plain and over TLS');

$t->finish;

###############################################################################

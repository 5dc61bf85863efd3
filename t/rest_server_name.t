#!/usr/bin/perl

# Tests for ws_rest: captures of a server_name are there for messages.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    server_name ~^(?<tenant>\w+)\.(shop)\.example$;

    location /ws {
        ws_rest /api/;
        ws_route where GET /where;
    }

    location /api/ {
        return 200 "$tenant|$host|$server_name";
    }

    location /where {
        return 200 "$tenant|$host|$server_name";
    }

    location /direct {
        return 200 "$tenant|$host|$server_name";
    }

    location /api/proxied {
        proxy_set_header X-Tenant $tenant;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

for my $tenant (qw/alice bob/) {
	my $host = "$tenant.shop.example";
	my ($expected) = $t->http("GET /direct HTTP/1.1\r\nHost: $host\r\n\r\n")
		->body;
	like($expected, qr/^$tenant\|$host\|/, 'over HTTP');

	my $s = RestClient->open($t, '/ws', name => $host);
	is($s->get('/api/')->{body}, $expected, "$tenant: a message") for 1, 2;
	is($s->call({action => 'where'})->{body}, $expected, "$tenant: a route");
	is(join(',', RestClient::received($s->get('/api/proxied'), 'X-Tenant')),
		$tenant, "$tenant: at the backend");
}

$t->finish;

###############################################################################

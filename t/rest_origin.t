#!/usr/bin/perl

# Tests for ws_rest: pages of other sites may not open a bridge unless
# ws_origin says so.

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

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /rest {
        ws_rest /api/;
    }

    location /route {
        ws_route ping GET /api/;
    }

    location /any {
        ws_rest /api/;
        ws_origin any;
    }

    location /list {
        ws_rest /api/;
        ws_origin partner.example;
    }

    location /echo {
        ws_echo;
    }

    location /api/ {
        return 200 "origin $http_origin";
    }
}

EOF

###############################################################################

sub handshake {
	my ($path, $origin, $host) = @_;
	return $t->http($path, name => $host // 'shop.example',
		headers => ["Origin: $origin"])->status;
}

for my $path ('/rest', '/route') {
	is(handshake($path, 'http://shop.example'), 101, "$path: same origin");
	is(handshake($path, 'http://SHOP.example'), 101, "$path: in capitals");
	is(handshake($path, 'http://shop.example:8080', 'shop.example:8080'), 101,
		"$path: same port");
	is(handshake($path, $_), 403, "$path: $_") for 'http://evil.example',
		'http://shop.example.evil.example', 'http://evilshop.example',
		'http://shop.example@evil.example', 'null', '',
		'http://shop.example:8080', 'http://sub.shop.example';
	is($t->http($path)->status, 101, "$path: no Origin, no browser");
}

is(handshake('/any', 'http://evil.example'), 101, 'ws_origin any');
is(handshake('/list', 'https://partner.example'), 101, 'ws_origin partner');
is(handshake('/list', 'http://shop.example'), 403, 'ws_origin without same');
is(handshake('/echo', 'http://evil.example'), 101, 'ws_echo: any');

is(RestClient->open($t, '/rest', name => 'shop.example',
	headers => ['Origin: http://shop.example'])
	->call({method => 'POST', path => '/api/'})->{body},
	'origin http://shop.example', 'the location sees the origin');

$t->finish;

###############################################################################

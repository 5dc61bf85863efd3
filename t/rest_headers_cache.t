#!/usr/bin/perl

# Tests for ws_rest: what a browser says about caches when it connects is not
# said with each call.

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

$t->run(<<'EOT');

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_client_headers Cache-Control;
        ws_response_headers x-cache;
    }

    location /api/ {
        proxy_cache cache;
        proxy_cache_valid 1m;
        proxy_cache_key $uri;
        proxy_cache_bypass $http_pragma $http_cache_control;
        add_header X-Cache $upstream_cache_status;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOT

###############################################################################

my $s = RestClient->open($t, '/ws',
	headers => ['Pragma: no-cache', 'Cache-Control: no-cache']);

sub cached { $s->call({path => '/api/x', @_})->{headers}{'x-cache'} }

is(cached(), 'MISS', 'the first');
is(cached(), 'HIT', 'the second');
is(cached(headers => {'Cache-Control' => 'no-cache'}), 'BYPASS',
	'a message may ask for a fresh one');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: JSON behind a byte order mark is JSON.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use MIME::Base64;
use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOT');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_response_headers x-none;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOT

###############################################################################

my $s = RestClient->open($t);
my $mark = "\xef\xbb\xbf";

for (
	['application/json', "$mark\{\"a\":1.0}", '{"a":1.0}'],
	['application/problem+json', "$mark [1.0]\n", '[1.0]'],
	['application/json', '{"a":1.0}', '{"a":1.0}'],
	['application/json', "$mark\{", "\"$mark\{\",\"encoding\":\"text\""],
	['application/json', "$mark$mark\{}",
		"\"$mark$mark\{}\",\"encoding\":\"text\""],
	['application/json', $mark, "\"$mark\",\"encoding\":\"text\""],
	['text/plain', "$mark\{}", "\"$mark\{}\",\"encoding\":\"text\""],
) {
	my ($type, $body, $expected) = @$_;
	my $path = '/api/?type=' . RestClient::escaped($type) . '&base64='
		. RestClient::escaped(encode_base64($body, ''));
	is($s->raw({path => $path}), '{"status":200,"headers":{},"body":'
		. "$expected}", "$type: " . unpack 'H*', $body);
}

$t->finish;

###############################################################################

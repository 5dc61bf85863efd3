#!/usr/bin/perl

# Tests for ws_rest: request bodies reach the location as they are meant.

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

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    client_max_body_size 0;

    location /ws {
        ws_rest /api/;
        ws_max_message 1m;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/streamed/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_request_buffering off;
        proxy_http_version 1.1;
    }

    location /api/variable {
        proxy_pass http://127.0.0.1:%%PORT_backend%%/;
        proxy_set_body "<$request_body>";
    }

    location /api/mirrored {
        mirror /mirror;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /mirror {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_mirror%%;
    }

    location /api/retried {
        proxy_pass http://retried;
        proxy_next_upstream http_503 non_idempotent;
    }
}

upstream retried {
    server 127.0.0.1:%%PORT_failing%%;
    server 127.0.0.1:%%PORT_backend%% backup;
}

server {
    listen 127.0.0.1:%%PORT_failing%%;
    return 503;
}

EOF

RestClient::backend($t, 'mirror');

###############################################################################

my $s = RestClient->open($t);

# A message with these members, as the backend describes the request.

sub post {
	my ($members, $path) = @_;
	$path //= '/api/';
	my $reply = $s->call(qq/{"method":"POST","path":"$path",$members}/);
	my $got = $reply->{body};
	return $reply->{error} // $reply->{status} unless ref $got;
	my ($type) = RestClient::received($reply, 'Content-Type');
	my ($length) = RestClient::received($reply, 'Content-Length');
	return join '|', $type // 'no type', $length // 'no length', $got->{length},
		$got->{base64} // $got->{body};
}

my $json = 'application/json';
my $text = 'text/plain; charset=utf-8';
my $bytes = 'application/octet-stream';

# JSON, byte for byte.

for my $value ('1', '"x"', 'true', '{}', '{ "a" : [1.00,	2e5] }', '[]', '""',
	'"\u00e9\/"', '12345678901234567890.10')
{
	is(post("\"body\":$value"), join('|', $json, (length $value) x 2, $value),
		"JSON $value");
	is(post("\"body\" : $value ,\"encoding\":\"json\""),
		join('|', $json, (length $value) x 2, $value), "\"json\" $value");
}

is(post('"body":null'), 'no type|0|0|', 'null is no body');
is(post('"x":1'), 'no type|0|0|', 'no body');

# Text.

is(post('"body":"","encoding":"text"'), "$text|0|0|", 'empty text');
is(post('"body":"x","encoding":"text"'), "$text|1|1|x", 'text of a byte');
is(post('"body":"a\n\"\u00e9\u0000","encoding":"text"'),
	"$text|6|6|a\n\"\x{e9}\0", 'text with escapes');
is(post('"body":"{}","encoding":"text"'), "$text|2|2|{}", 'JSON as text');

# Bytes.

is(post('"body":"","encoding":"base64"'), "$bytes|0|0|", 'no bytes');
is(post('"body":"eA==","encoding":"base64"'), "$bytes|1|1|x", 'a byte');
is(post('"body":"AP+A","encoding":"base64"'), "$bytes|3|3|AP+A", 'three bytes');
is(post('"body":"\u0041P8\u003d","encoding":"base64"'), "$bytes|2|2|AP8=",
	'base64 with escapes');

# Every method may have one.

for my $method (qw/GET PUT PATCH DELETE OPTIONS/) {
	my $reply = $s->call({method => $method, path => '/api/', body => [1]});
	is("$reply->{body}{method} $reply->{body}{body}", "$method [1]", $method);
}

# All sizes, up to the largest message.

my $ends = '"method":"POST","path":"/api/"';

for my $size (1, 2, 100, 4096, 16384, 65535, 65536, 100_000, 1_000_000) {
	my $letters = 'x' x ($size - 1) . 'y';
	my ($start, $end) = (substr($letters, 0, 20), substr $letters, -20);

	for ([json => "\"$letters\"", $size + 2], [text => "\"$letters\"", $size],
		[base64 => '"' . encode_base64($letters, '') . '"', $size])
	{
		my ($encoding, $value, $length) = @$_;
		next if length $value > 1_048_000;
		my $reply = $s->call(
			"{$ends,\"body\":$value,\"encoding\":\"$encoding\"}");
		my $got = $reply->{body};
		is("$reply->{status} $got->{length}", "200 $length",
			"$size letters as $encoding");
		like($got->{end} // $got->{body}, qr/y"?$/, 'with its end');
	}
}

my $envelope = "{$ends,\"body\":\"\"}";
my $most = 1 << 20;
my $body = 'x' x ($most - length $envelope);
is($s->call("{$ends,\"body\":\"$body\"}")->{body}{length},
	2 + length $body, 'the largest message');
is(RestClient->open($t)->send("{$ends,\"body\":\"${body}x\"}")->read,
	'close:1009 message too big', 'one byte more');

# What locations do with bodies.

is(post('"body":[1,2]', '/api/streamed/'), "$json|5|5|[1,2]",
	'proxy_request_buffering off');
is(post('"body":"x","encoding":"text"', '/api/variable'),
	"$text|3|3|<x>", '$request_body');
is(post('"body":"twice","encoding":"text"', '/api/retried'),
	"$text|5|5|twice", 'the next upstream gets it too');
is(post('"body":"seen","encoding":"text"', '/api/mirrored'),
	"$text|4|4|seen", 'mirror');
ok($t->wait_for(sub { grep { /^POST/ } RestClient::seen($t, 'mirror') }),
	'the mirror has it');

$t->finish;

###############################################################################

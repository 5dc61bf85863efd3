#!/usr/bin/perl

# Tests for ws_rest: requests inherit the headers of the handshake that are
# not about it.

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
    server_name localhost;

    location /ws {
        ws_rest /;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }

    location /variables {
        return 200 "$http_upgrade|$http_connection|$http_sec_websocket_key|$http_content_type|$content_type|$content_length|$http_range|$http_if_none_match|$http_accept_encoding|$http_host|$host|$server_name|$http_cookie|$cookie_a|$cookie_b|$http_authorization|$remote_user|$http_user_agent|$http_x_forwarded_for|$http_x_many";
    }
}

server {
    listen 127.0.0.1:%%PORT%%;
    server_name other;

    location / {
        return 200 other;
    }
}

EOF

###############################################################################

# 10 headers that all messages share, and one more than fits into the first
# part of nginx's list.

my @kept = (['User-Agent' => 'test/1'], [Cookie => 'a=1; b=2'],
	[Authorization => 'Basic dTpw'], [Accept => 'x/y'],
	['Accept-Language' => 'de'], [Referer => 'http://localhost/page'],
	['x-MiXed' => 'CaSe'],
	map { ["X-$_" => "value $_"] } 1 .. 30);
my @many = (['X-Many' => 1], ['X-Many' => 2]);
my @dropped = (['Accept-Encoding' => 'gzip'], [Range => 'bytes=0-1'],
	['If-None-Match' => '"x"'], ['If-Match' => '"y"'],
	['If-Modified-Since' => 'Thu, 01 Jan 1970 00:00:00 GMT'],
	['If-Range' => '"x"'], ['Content-Type' => 'text/x'],
	['Content-Language' => 'de'], [TE => 'trailers'], ['Keep-Alive' => '5'],
	['Proxy-Connection' => 'close'], [Expect => 'x'],
	['Sec-WebSocket-Protocol' => 'chat'],
	['Sec-WebSocket-Extensions' => 'permessage-deflate'],
	[Pragma => 'no-cache'], ['Cache-Control' => 'no-cache']);

my $s = RestClient->open($t, '/ws', name => 'localhost', headers =>
	[map { "$_->[0]: $_->[1]" } @kept, @many, @dropped,
		['X-Forwarded-For', '192.0.2.1'], ['Trailer', 'x']]);

# More than once: the list is shared.

for my $round (1 .. 3) {
	my $reply = $s->get('/api/');

	is(join(', ', RestClient::received($reply, $_->[0])), $_->[1],
		"$_->[0], round $round") for @kept;
	is(join(', ', RestClient::received($reply, 'X-Many')), '1, 2',
		"repeated header, round $round");
	is(join(', ', RestClient::received($reply, 'Host')), 'localhost',
		"Host, round $round");
	is(join(', ', RestClient::received($reply, 'X-Forwarded-For')),
		'192.0.2.1, 127.0.0.1', "X-Forwarded-For, round $round");
	is(join(', ', RestClient::received($reply, 'X-Real-IP')), '127.0.0.1',
		"the client's address, round $round");

	is(join(' ', map { "$_->[0]: $_->[1]" } grep { lc $_->[0]
			=~ /^(?:accept-encoding|connection|expect|if-|keep-alive|proxy-
				|range|sec-|te$|pragma|cache-control|trailer|transfer-|upgrade|content-)/x }
		@{$reply->{body}{headers}}), '', "nothing else, round $round");

	# A body has its own.

	$reply = $s->call({method => 'POST', path => '/api/', body => {}});
	is(join(', ', RestClient::received($reply, 'Content-Type')),
		'application/json', "Content-Type of a body, round $round");
	is(join(', ', RestClient::received($reply, 'Content-Length')), 2,
		"its Content-Length, round $round");
}

is($s->get('/variables')->{body}, join('|', ('') x 9, 'localhost',
	'localhost', 'localhost', 'a=1; b=2', 1, 2, 'Basic dTpw', 'u', 'test/1',
	'192.0.2.1', '1, 2'), 'variables');
is($s->get('/api/')->{body}{method}, 'GET', 'a body leaves nothing behind');

# The server is that of the handshake.

is($s->status_of('/variables'), 200, 'server');
$s = RestClient->open($t, '/ws', name => 'LOCALHOST:80');
is((split /\|/, $s->get("/variables")->{body}, -1)[10], 'localhost', '$host');

# Another socket has nothing of this one.

is((split /\|/, $s->get("/variables")->{body}, -1)[12], '', 'no cookies');

$t->finish;

###############################################################################

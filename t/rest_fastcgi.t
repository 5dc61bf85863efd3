#!/usr/bin/perl

# Tests for ws_rest: messages reach FastCGI with the parameters of a request.

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
RestClient::backend($t, 'responder', 'fastcgi.py');

$t->run(<<'EOF');

fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_URI $document_uri;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REMOTE_ADDR $remote_addr;

server {
    listen 127.0.0.1:%%PORT%%;
    client_max_body_size 0;

    location /ws {
        ws_rest /;
    }

    location / {
        fastcgi_pass 127.0.0.1:%%PORT_responder%%;
    }

    location /unbuffered {
        fastcgi_pass 127.0.0.1:%%PORT_responder%%;
        fastcgi_buffering off;
        fastcgi_request_buffering off;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t, '/ws', headers => ['Cookie: a=b',
	'User-Agent: test', 'Accept-Encoding: gzip', 'Sec-WebSocket-Protocol: x']);

for my $path ('/a/../b%20c', '/unbuffered') {
	my $reply = $s->call({id => 1, method => 'PUT', path => "$path?q=1&r",
		body => 'text', encoding => 'text'});
	my $got = $reply->{body};

	is($reply->{status}, 201, "$path: status");
	is_deeply([@$got{qw/REQUEST_METHOD REQUEST_URI QUERY_STRING CONTENT_TYPE
		CONTENT_LENGTH SERVER_PROTOCOL REMOTE_ADDR HTTP_COOKIE
		HTTP_USER_AGENT HTTP_HOST body/}],
		['PUT', "$path?q=1&r", 'q=1&r', 'text/plain; charset=utf-8', 4,
		'HTTP/1.1', '127.0.0.1', 'a=b', 'test', 'localhost', 'text'],
		"$path: parameters");
	is(join(',', grep { /^HTTP_(?:SEC_|UPGRADE|CONNECTION|ACCEPT_ENC)/ }
		keys %$got), '', "$path: nothing of the handshake");

	is($s->call({method => 'POST', path => $path, body => 'x' x 500_000,
		encoding => 'text'})->{body}{length}, 500_000, "$path: large body");
	is($s->get($path)->{body}{CONTENT_LENGTH}, '', "$path: no body");
}

is($s->get('/a/../b%20c')->{body}{DOCUMENT_URI}, '/b c', 'normalised');

$t->finish;

###############################################################################

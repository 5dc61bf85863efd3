#!/usr/bin/perl

# Tests for ws_rest: $realip_remote_addr is the address that the connection
# came from.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;

    location /ws {
        ws_rest /;
        ws_route address GET /address;
    }

    location /try {
        try_files /none @named;
    }

    location @named {
        ws_rest /;
    }

    location /address {
        return 200 "$remote_addr $realip_remote_addr";
    }

    # An internal redirect clears what modules keep with a request.

    location /redirected {
        try_files /none /address;
    }

    location /page {
        error_page 404 = /address;
        return 404;
    }
}

EOF

###############################################################################

my @headers = (headers => ['X-Forwarded-For: 192.0.2.7']);

is($t->http("GET /address HTTP/1.1\r\nHost: localhost\r\n"
	. "X-Forwarded-For: 192.0.2.7\r\n\r\n")->body, '192.0.2.7 127.0.0.1',
	'a request over HTTP');

my $s = RestClient->open($t, '/ws', @headers);
is($s->get('/address')->{body}, '192.0.2.7 127.0.0.1', 'a message');
is($s->get($_)->{body}, '192.0.2.7 127.0.0.1', "$_: after an internal redirect")
	for qw!/redirected /page!;
is($s->get('/address')->{body}, '192.0.2.7 127.0.0.1', 'and the next message');
is($s->call({action => 'address'})->{body}, '192.0.2.7 127.0.0.1', 'a route');
is(RestClient->open($t, '/try', @headers)->get('/address')->{body},
	'192.0.2.7 127.0.0.1', 'a handshake that was redirected');
is(RestClient->open($t)->get('/address')->{body}, '127.0.0.1 127.0.0.1',
	'without realip');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: the page with ws_rest, and what conf/nginx.conf has for
# it.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use NginxWs;
use Page;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
Page::start($t);

sub get {
	my ($uri) = @_;
	return $t->http("GET $uri HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

# The calls over HTTP, which the page makes over a socket.

my $time = get('/api/time');
is($time->header('Content-Type'), 'application/json', '/api/time is JSON');
cmp_ok(abs(decode_json($time->body)->{seconds} - time), '<', 60, '/api/time');
is(get('/api/echo-args?a=%22&b=[x]')->body,
	'{"method":"GET","args":"a=%22&b=[x]","body_bytes":0}', '/api/echo-args');

for my $c ('"', '\\', "\xc3\xa9") {
	my $r = get("/api/echo-args?a=$c");
	is($r->status, 400, 'what would break its JSON');
	ok(eval { decode_json($r->body) }, 'is refused in JSON');
}

is(get('/api/other')->status, 404, 'another call');

# Messages reach the same calls, and nothing else.

my $s = RestClient->open($t, '/rest');
is($s->get('/api/echo-args?a=1')->{body}{args}, 'a=1', '/rest');
is($s->status_of('/status'), 404, 'not outside of the prefix');
is($s->status_of('/api/../status'), 404, 'nor around it');

# Who asks from here may see the counters.

my $status = decode_json(get('/status')->body)->{sockets};
is($status->{sockets}{active}, 1, '/status: sockets');
is($status->{rest}{'2xx'}, 1, '/status: calls');

###############################################################################

Page::browse($t, 'page_rest.js');

$t->finish;

###############################################################################

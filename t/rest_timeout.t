#!/usr/bin/perl

# Tests for ws_rest: ws_request_timeout answers 504 and ends the request.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

log_format call "$status $uri $request_time";
access_log %%TESTDIR%%/access.log call;

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;
limit_req_zone $binary_remote_addr zone=paced:1m rate=1r/s;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
        ws_request_timeout 300ms;
    }

    location /long {
        ws_rest /api/;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/streams/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_buffering off;
    }

    location /api/stays/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_ignore_client_abort on;
    }

    location /api/cached/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_cache cache;
        proxy_cache_valid 1m;
    }

    location /api/asked/ {
        auth_request /ask;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location = /ask {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%/?fault=hang;
    }

    location /api/included/ {
        ssi on;
        ssi_types *;
        alias %%TESTDIR%%/;
    }

    location /api/paced/ {
        limit_req zone=paced burst=10;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    # The location's own timeout comes first.
    location /api/own/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_read_timeout 100ms;
    }
}

EOF

$t->write_file('page', 'a <!--#include virtual="/api/?fault=hang" --> b');

###############################################################################

my $s = RestClient->open($t);
my $timeout = '{"id":1,"status":504,"error":"timeout",'
	. '"message":"no response within ws_request_timeout"}';

for (
	['no answer', '/api/?fault=hang'],
	['half an answer', '/api/?size=1000&pause=20000'],
	['half a header', '/api/?fault=half&delay=20000'],
	['half an answer, unbuffered', '/api/streams/?size=1000&pause=20000'],
	['proxy_ignore_client_abort', '/api/stays/?fault=hang'],
	['a response to be cached', '/api/cached/?fault=hang'],
	['a half response to be cached', '/api/cached/?size=100000&pause=20000'],
	['a subrequest', '/api/asked/'],
	['an included part', '/api/included/page'],
) {
	my ($name, $path) = @$_;
	my $aborted = grep { $_ eq 'aborted' } RestClient::seen($t);
	my $start = time;

	is($s->raw({id => 1, path => $path}), $timeout, $name);
	my $seconds = time - $start;
	cmp_ok($seconds, '>', 0.29, "$name: not too early");
	cmp_ok($seconds, '<', 0.6 * $NginxWs::slow, "$name: in time");
	ok(RestClient::wait_seen($t, 'aborted', $aborted + 1, 3),
		"$name: the backend's connection is closed");
}

# Delayed by nginx itself.

$s->send({id => 1, path => '/api/paced/?body='}) for 1 .. 2;
is($s->reply, '{"id":1,"status":200,"headers":{"content-type":"text/plain"}}',
	'limit_req: the first');
is($s->reply, $timeout, 'limit_req: the second is too late');
is((grep { $_ eq 'GET /api/paced/?body=' } RestClient::seen($t)), 1,
	'and never sent');

# Each call has its own time.

my $start = time;
$s->send({id => 1, path => '/api/?fault=hang'});
$s->pump(sub { 0 }, timeout => 0.2);
$s->send({id => 2, path => '/api/?fault=hang'});
$s->send({id => 3, path => '/api/?body=&delay=200'});
my @replies = map { my $r = $s->decoded;
	[$r->{id}, $r->{status}, time - $start] } 1 .. 3;
is(join(' ', map { "$_->[0]:$_->[1]" } @replies), '1:504 3:200 2:504',
	'each has its own time');
cmp_ok($replies[0][2], '<', 0.45 * $NginxWs::slow, 'the first');
cmp_ok($replies[2][2], '>', 0.49, 'the second');

is($s->status_of('/api/?body='), 200, 'the socket stays');
is(RestClient->open($t, '/long')->status_of('/api/own/?fault=hang'), 504,
	"a location's own timeout");

# A late answer must not reach another call.

is($s->call({id => "late$_", path => '/api/late?body=&delay=290'})->{id}, "late$_",
	'at the edge') for 1 .. 5;

# The log says what the client was told.

is(join(', ', map { m{^(504 (?!/api/late|/api/own)\S+) } } $t->access_log), join(', ',
	map { "504 /api/$_" } '', '', '', 'streams/', 'stays/', 'cached/',
	'cached/', 'asked/', 'included/page', 'paced/', '', ''), 'log');

$t->finish;

###############################################################################

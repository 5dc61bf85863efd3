#!/usr/bin/perl

# Tests for ws_rest: limits of the target count messages.

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

limit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;
limit_req_zone $binary_remote_addr zone=paced:1m rate=20r/s;
limit_conn_zone $binary_remote_addr zone=two:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
    }

    location /api/few/ {
        limit_req zone=few burst=2 nodelay;
        limit_req_status 429;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/paced/ {
        limit_req zone=paced burst=10;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/paced-static/ {
        alias %%TESTDIR%%/;
        limit_req zone=paced burst=10;
    }

    location /api/two/ {
        limit_conn two 2;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/small/ {
        client_max_body_size 10;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/slow/ {
        limit_rate 1k;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);

# limit_req: per message, whatever the socket.

is(join(' ', map { $s->status_of('/api/few/?body=') } 1 .. 5),
	'200 200 200 429 429', 'limit_req');
is(RestClient->open($t)->status_of('/api/few/?body='), 429,
	'limit_req, another socket');

$t->write_file('file', 'static');

for my $path ('/api/paced/?body=', '/api/paced-static/file') {
	my $start = time;
	$s->send({id => $_, path => $path}) for 1 .. 8;
	is(join(' ', map { my $r = $s->decoded; "$r->{id}:$r->{status}" } 1 .. 8),
		join(' ', map { "$_:200" } 1 .. 8), "$path with a delay");
	my $seconds = time - $start;
	cmp_ok($seconds, '>', 0.3, "$path is paced");
	cmp_ok($seconds, '<', 2 * $NginxWs::slow, "$path, not more");
}

# limit_conn: requests at a time.

$s->send({id => $_, path => '/api/two/?body=&delay=200'}) for 1 .. 4;
is(join(' ', sort map { my $r = $s->decoded; "$r->{id}:$r->{status}" } 1 .. 4),
	'1:200 2:200 3:503 4:503', 'limit_conn');
is($s->status_of('/api/two/?body='), 200, 'limit_conn, when they are over');
$s->send({path => '/api/two/?fault=hang'}) for 1 .. 2;
RestClient::wait_seen($t, 'GET /api/two/?fault=hang', 2);
is(RestClient->open($t)->status_of('/api/two/?body='), 503, 'limit_conn, full');
$s->hang_up;
$s = RestClient->open($t);
$t->wait_for(sub { $s->status_of('/api/two/?body=') == 200 });
is($s->status_of('/api/two/?body='), 200, 'limit_conn, when the client left');

# client_max_body_size.

sub post { $s->call({method => 'POST', path => '/api/small/', @_})->{status} }

is(post(body => 'x' x 10, encoding => 'text'), 200, '10 bytes');
is(post(body => 'x' x 11, encoding => 'text'), 413, '11 bytes');
is(post(body => 'x' x 8), 200, '10 bytes of JSON');
is(post(body => 'x' x 9), 413, '11 bytes of JSON');
is(post(body => 'QUJDREVGR0hJSg==', encoding => 'base64'), 200,
	'10 bytes of base64');
is(post(body => 'QUJDREVGR0hJSks=', encoding => 'base64'), 413,
	'11 bytes of base64');
is(post(), 200, 'the socket stays');

# limit_rate is about connections to clients, a reply is one piece.

my $start = time;
is(length $s->get('/api/slow/?size=10000')->{body}, 10000, 'limit_rate');
cmp_ok(time - $start, '<', 2 * $NginxWs::slow, 'does not hold up a reply');

$t->finish;

###############################################################################

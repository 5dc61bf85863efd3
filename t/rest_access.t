#!/usr/bin/perl

# Tests for ws_rest: the access phase of the target guards every message.

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
$t->write_file('passwords', "u:{PLAIN}p\nother:{PLAIN}q\n");

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
        ws_client_headers Authorization Cookie;
        ws_response_headers www-authenticate;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/closed/ {
        deny all;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/local/ {
        allow 127.0.0.1;
        deny all;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/basic/ {
        auth_basic realm;
        auth_basic_user_file %%TESTDIR%%/passwords;
        proxy_set_header X-User $remote_user;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/any/ {
        satisfy any;
        deny all;
        auth_basic realm;
        auth_basic_user_file %%TESTDIR%%/passwords;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/asked/ {
        auth_request /ask;
        auth_request_set $user $upstream_http_x_user;
        proxy_set_header X-User $user;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location = /ask {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_auth%%;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header X-URI $request_uri;
    }

    location /api/get-only/ {
        limit_except GET {
            deny all;
        }
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/refused/ {
        auth_request /no;
        error_page 401 = /api/error/page?body=please-log-in;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location = /no {
        internal;
        return 401;
    }
}

# Says who it is by a cookie.

map $cookie_session $user {
    good alice;
}

server {
    listen 127.0.0.1:%%PORT_auth%%;

    access_log %%TESTDIR%%/auth.log;

    location / {
        add_header X-User $user;

        if ($user) {
            return 204;
        }

        return 403;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);

sub status_with {
	my ($path, %more) = @_;
	return $s->call({id => 1, path => $path, %more})->{status};
}

sub authorized { (headers => {Authorization => "Basic $_[0]"}) }

is($s->status_of('/api/closed/'), 403, 'deny') for 1 .. 3;
is($s->status_of('/api/local/'), 200, 'allow');
is($s->status_of('/api/x/../closed/'), 403, 'deny, another way');

# auth_basic, with the handshake's header and with the message's.

my ($good, $other, $bad) = ('dTpw', 'b3RoZXI6cQ==', 'dTpx');

is_deeply($s->get('/api/basic/')->{headers},
	{'www-authenticate' => 'Basic realm="realm"'}, 'challenge');
is(status_with('/api/basic/'), 401, 'no password');
is(status_with('/api/basic/', authorized($bad)), 401, 'wrong password');
is(status_with('/api/basic/', authorized($good)), 200, 'password in a message');
is(status_with('/api/basic/'), 401, 'is good for that message only');
is(status_with('/api/any/', authorized($good)), 200, 'satisfy any: one');
isnt(status_with('/api/any/', authorized($bad)), 200, 'satisfy any: none');

$s = RestClient->open($t, '/ws', headers => ["Authorization: Basic $good"]);
my $reply = $s->get('/api/basic/');
is($reply->{status}, 200, 'password in the handshake');
is(join(',', RestClient::received($reply, 'X-User')), 'u', '$remote_user');
is(status_with('/api/basic/', authorized($bad)), 401,
	'a message does not fall back to it');
is(status_with('/api/basic/', authorized('')), 401, 'nor an empty one');
$reply = $s->call({path => '/api/basic/', authorized($other)});
is(join(',', RestClient::received($reply, 'X-User')), 'other',
	'another user in a message');
is(join(',', RestClient::received($reply, 'Authorization')), "Basic $other",
	'the backend sees the one that nginx has checked');
is($s->status_of('/api/basic/'), 200, 'the next message has that of the handshake');

# auth_request, which waits for another server.

is($s->status_of('/api/asked/'), 403, 'auth_request');
$reply = $s->call({path => '/api/asked/x', method => 'POST', body => 'x',
	headers => {Cookie => 'session=good'}});
is($reply->{status}, 200, 'auth_request with a cookie');
is(join(',', RestClient::received($reply, 'X-User')), 'alice',
	'auth_request_set');
is($reply->{body}{body}, '"x"', 'the body goes to the target');
is($s->status_of('/api/asked/'), 403, 'asked for each message');
is(scalar $t->logged(3, 'auth.log'), 3, 'three times');
is($s->get('/api/refused/')->{body}, 'please-log-in', 'error_page for it');

# Methods.

is($s->status_of('/api/get-only/'), 200, 'limit_except, GET');
is(status_with('/api/get-only/', method => $_), 403, "limit_except, $_")
	for qw/POST PUT DELETE PATCH OPTIONS/;

# Many at once do not mix.

my @cookies = map { $_ % 2 ? 'session=good' : 'session=bad' } 1 .. 40;
$s->send({id => $_, path => '/api/asked/', headers =>
	{Cookie => $cookies[$_ - 1]}}) for 1 .. 40;
my %got = map { my $r = $s->decoded; $r->{id} => $r->{status} } 1 .. 40;
is(join(' ', map { $got{$_} } 1 .. 40), join(' ', (200, 403) x 20),
	'forty with two users');

is((grep { m!/api/closed/! } RestClient::seen($t)), 0,
	'what was denied has not reached the backend');

$t->finish;

###############################################################################

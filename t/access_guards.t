#!/usr/bin/perl

# Tests for WebSocket: allow, auth_basic, auth_request and satisfy guard the handshake.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new;

$t->write_file('htpasswd', "user:{PLAIN}secret\n");
$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /deny {
        ws_echo;
        allow 127.0.0.1;
        deny all;
    }

    location /basic {
        ws_echo;
        auth_basic "closed";
        auth_basic_user_file %%TESTDIR%%/htpasswd;
    }

    location /any {
        ws_echo;
        satisfy any;
        deny all;
        auth_basic "closed";
        auth_basic_user_file %%TESTDIR%%/htpasswd;
    }

    location /request {
        ws_echo;
        auth_request /check;
        auth_request_set $user $sent_http_x_user;
        add_header X-User $user always;
    }

    location = /check {
        internal;
        add_header X-User $arg_user always;

        if ($http_cookie = "token=good") {
            return 204;
        }

        return 401;
    }

    # A check that is itself a WebSocket: an answer no check can give.
    location /loop {
        ws_echo;
        auth_request /loop-check;
    }

    location /loop-check {
        ws_echo;
    }

    location /internal {
        internal;
        ws_echo;
    }
}

EOF

###############################################################################

is($t->ws('/deny')->text('x')->read, 'text:x', 'allow');
is($t->http('/deny', local => '127.0.0.2')->status, 403, 'deny');

my $good = 'Authorization: Basic dXNlcjpzZWNyZXQ=';
my $bad = 'Authorization: Basic dXNlcjp3cm9uZw==';

my $s = $t->http('/basic');
is($s->status, 401, 'auth_basic');
is($s->header('WWW-Authenticate'), 'Basic realm="closed"', 'its header');
is($t->http('/basic', headers => [$bad])->status, 401, 'wrong password');
is($t->ws('/basic', headers => [$good])->text('x')->read, 'text:x',
	'right password');

is($t->http('/any')->status, 401, 'satisfy any, neither');
is($t->ws('/any', headers => [$good])->text('x')->read, 'text:x',
	'satisfy any, one');

is($t->http('/request')->status, 401, 'auth_request refuses');
is($t->http('/request', headers => ['Cookie: token=bad'])->status, 401,
	'auth_request refuses another cookie');
$s = $t->ws('/request', headers => ['Cookie: token=good']);
is($s->text('x')->read, 'text:x', 'auth_request accepts');
is($s->text('y' x 100_000)->read, 'text:' . 'y' x 100_000,
	'after which the socket is like any other');
$t->closes($s->close(1000), 1000, 'close');

# The guards come before the handshake is looked at.

is($t->http('/deny', local => '127.0.0.2', key => 'bad')->status, 403,
	'deny before a bad key');

isnt($t->http('/loop')->status, 101, 'a subrequest is not upgraded');
is($t->http('/internal')->status, 404, 'internal');
is($t->ws('/deny')->text('z')->read, 'text:z', 'nginx goes on');

$t->finish;

###############################################################################

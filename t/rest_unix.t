#!/usr/bin/perl

# Tests for ws_rest: calls of a client on a unix socket.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

log_format call "$remote_addr $status $uri";
access_log %%TESTDIR%%/access.log call;

server {
    listen unix:%%TESTDIR%%/nginx.sock;

    location /ws {
        ws_rest /;
    }

    location /static {
        return 200 static;
    }

    location /buffered/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }

    location /unbuffered/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_buffering off;
    }
}

server {
    listen 127.0.0.1:%%PORT%%;
}

EOF

###############################################################################

my $s = RestClient->open($t, '/ws', unix => $t->dir . '/nginx.sock');

is($s->get('/static')->{body}, 'static', 'static');
is($s->get('/buffered/?size=5')->{body}, '01234', 'buffered proxying');
is(join(' ', RestClient::received($s->get('/buffered/'), 'X-Forwarded-For')),
	'unix:', 'the address of the client');
is($s->get('/unbuffered/?size=5')->{body} // 'none', '01234',
	'unbuffered proxying');
is($s->get('/buffered/?size=5&header=X-Accel-Buffering:no')->{body} // 'none',
	'01234', 'X-Accel-Buffering');
is($s->get('/static')->{body}, 'static', 'the socket stays');
$s->close(1000)->end;

is(join(', ', grep { !/buffered/ } $t->logged(7)),
	'unix: 200 /static, unix: 200 /static, unix: 101 /ws', 'log');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: a post_action of the upgraded request runs when the
# socket has ended, and its line in the log still tells of it.

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

log_format code "$uri $ws_close_code $ws_messages_in $ws_messages_out $ws_subprotocol";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    ws_drain 200ms;
    ws_subprotocol chat;

    location = /echo   { ws_echo; post_action /after; }
    location = /hung   { ws_echo; post_action /hangs; }
    location = /refuse { ws_echo; post_action /refused; }
    location = /rest   { ws_rest /api/; post_action /after; }

    location = /after {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%/after?body=&closed=$ws_close_code&in=$ws_messages_in;
    }

    location = /hangs {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%/hangs?fault=hang&rest=;
        proxy_read_timeout 1s;
    }

    location = /refused { internal; return 403; }
    location /api/ { access_log off; return 200 ok; }
}

EOF

###############################################################################

local $WsSocket::patience = 4;

sub socket_at {
	return RestClient->open($t, $_[0],
		headers => ['Sec-WebSocket-Protocol: chat']);
}

sub logged {
	my ($name, $expected) = @_;
	is(($t->logged(1))[-1] // 'nothing', $expected, "$name: log");
	truncate $t->dir . '/access.log', 0;
}

my $s = socket_at('/echo');
is($s->text('hello')->read, 'text:hello', 'echo');
is(join(' ', $s->close(1000)->read, $s->end), 'close:1000 eof', 'close');
ok(RestClient::wait_seen($t, 'GET /after?body=&closed=1000&in=1'),
	'the action knows of the socket') or diag(RestClient::seen($t));
logged('echo', '/after 1000 1 1 chat');

# A client that just leaves has an action as well.

$s = socket_at('/echo');
is($s->text('hello')->read, 'text:hello', 'echo');
$s->reset;
ok(RestClient::wait_seen($t, 'GET /after?body=&closed=1006&in=1'),
	'the action of a client that left') or diag(RestClient::seen($t));
logged('left', '/after 1006 1 1 chat');

$s = socket_at('/rest');
is($s->status_of('/api/x'), 200, 'a call');
is(join(' ', $s->close(1000)->read, $s->end), 'close:1000 eof', 'its close');
ok(RestClient::wait_seen($t, 'GET /after?body=&closed=1000&in=1', 2),
	'its action');
logged('calls', '/after 1000 1 1 chat');

# An action that fails, and one that takes its time.

$s = socket_at('/refuse');
is($s->text('hello')->read, 'text:hello', 'refused action: echo');
is(join(' ', $s->close(1000)->read, $s->end), 'close:1000 eof',
	'refused action: close');
logged('refused action', '/refused 1000 1 1 chat');

$s = socket_at('/hung');
is($s->close(1000)->read, 'close:1000', 'hung action: close');
ok(RestClient::wait_seen($t, 'GET /hangs?fault=hang&rest='), 'which runs');

# A reload drains.

my @sockets = map { socket_at($_) } qw!/echo /rest /refuse!;
my ($old) = $t->reload;
is(join(' ', $_->read, $_->close(1001)->end), 'close:1001 going away eof',
	'reload') for @sockets;
ok($t->gone($old, 5), 'the old worker is gone');

$t->finish;

###############################################################################

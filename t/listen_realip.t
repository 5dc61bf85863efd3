#!/usr/bin/perl

# Tests for WebSocket: proxy_protocol and realip.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

log_format peer "$remote_addr:$remote_port $status $ws_messages_in";
access_log %%TESTDIR%%/access.log peer;

set_real_ip_from 127.0.0.1;

server {
    listen 127.0.0.1:%%PORT%% proxy_protocol;

    location /plain {
        ws_echo;
        add_header X-Proxy $proxy_protocol_addr always;
    }

    location /real {
        real_ip_header proxy_protocol;
        ws_echo;
        deny 192.0.2.9;
    }
}

server {
    listen 127.0.0.1:%%PORT_HEADER%%;

    location /header {
        real_ip_header X-Forwarded-For;
        ws_echo;
    }
}

EOF

###############################################################################

sub proxied { (prologue => "PROXY TCP4 $_[0] 192.0.2.2 1234 80\r\n") }

my $s = $t->ws('/plain', proxied('192.0.2.1'));
is($s->header('X-Proxy'), '192.0.2.1', 'address of the protocol');
is($s->text('plain')->read, 'text:plain', 'echo');
$t->closes($s->close(1000), 1000, 'close');

$s = $t->ws('/real', proxied('192.0.2.1'));
is($s->text('real')->read, 'text:real', 'echo with realip');
$t->closes($s->close(1000), 1000, 'close with realip');

is($t->http('/real', proxied('192.0.2.9'))->status, 403,
	'deny of the real address');

# The line, the handshake and a frame in one packet.

$s = WsClient->new(port => $t->port);
$s->handshake(request => {proxied('192.0.2.3')}->{prologue}
	. WsClient::upgrade(path => '/real'), more => WsFrame::encode(1, 'early'));
is($s->read, 'text:early', 'frame behind the line and the handshake');
$t->closes($s->close(1000), 1000, 'its close');

$s = $t->ws('/header', port => $t->port('HEADER'),
	headers => ['X-Forwarded-For: 192.0.2.4']);
is($s->text('x')->read, 'text:x', 'echo with X-Forwarded-For');
$t->closes($s->close(1000), 1000, 'its close');

my @log = $t->logged(5);
like($log[0], qr/^127\.0\.0\.1:\d+ 101 1$/, 'log without realip');
is($log[1], '192.0.2.1:1234 101 1', 'log with realip');
is($log[2], '192.0.2.9:1234 403 -', 'log of a refusal');
is($log[3], '192.0.2.3:1234 101 1', 'log of one packet');
like($log[4], qr/^192\.0\.2\.4:\d* 101 1$/, 'log with X-Forwarded-For');
like($t->error_log, qr/client: 192\.0\.2\.9,/, 'error log');

$t->finish;

###############################################################################

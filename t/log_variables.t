#!/usr/bin/perl

# Tests for WebSocket: $ws_* while the socket lives.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

map $ws_close_code $loggable {
    1000    0;
    default 1;
}

log_format code "$uri $ws_close_code";
access_log %%TESTDIR%%/access.log code if=$loggable;

server {
    listen 127.0.0.1:%%PORT%%;

    # Variables that are asked for before there is an answer.
    location /early {
        ws_echo;
        ws_subprotocol chat;
        set $copy "$ws_connection_id$ws_close_code$ws_duration$ws_messages_in";
        add_header X-Copy "[$copy]" always;
        add_header X-Id "[$ws_connection_id]" always;
        add_header X-Protocol "[$ws_subprotocol]" always;
        add_header X-Code "[$ws_close_code]" always;
    }

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $s = $t->ws('/early', headers => ['Sec-WebSocket-Protocol: chat']);
is($s->header('X-Copy'), '[]', 'empty before the handshake');
is($s->header('X-Code'), '[]', 'no code in the answer');
like($s->header('X-Id'), qr/^\[(?:[0-9a-f]{32})?\]$/, 'identifier in the answer');
like($s->header('X-Protocol'), qr/^\[(?:chat)?\]$/, 'subprotocol in the answer');
is($s->text('x')->read, 'text:x', 'echo');
$s->close(1001)->end;

is($t->http('/early', key => 'bad')->header('X-Id'), '[]',
	'empty in a refusal');

# A variable that was read early is read again for the log.

$t->ws('/ws')->close(1000)->end;
$t->ws('/ws')->close(1002)->end;
$t->ws('/ws')->hang_up;

is(join(', ', grep { !/400|-$/ } $t->logged(4)),
	'/early 1001, /ws 1002, /ws 1006', 'if= by the code');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: unix-domain sockets.

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

log_format peer "$remote_addr $status $ws_messages_out";
access_log %%TESTDIR%%/access.log peer;

server {
    listen unix:%%TESTDIR%%/ws.sock;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $path = $t->dir . '/ws.sock';
my $s = $t->ws('/ws', unix => $path);

is($s->text('hello')->read, 'text:hello', 'echo');
is($s->binary('b' x 300_000)->read, 'binary:' . 'b' x 300_000, 'large echo');
$t->closes($s->close(1000), 1000, 'close');
$t->closes($t->ws('/ws', unix => $path)->write("\x83\x80"), 1002, 'violation');
$t->closes($t->ws('/ws', unix => $path)->write(
	"\x83\x80" . 'x' x 300_000), 1002, 'violation with more behind it');

is(($t->logged(3))[0], 'unix: 101 2', 'log');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: a Close behind messages that are still on their way.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->certificate->run(<<'EOF');

log_format code "$ws_close_code $ws_messages_out";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k;
    listen 127.0.0.1:%%PORT_TLS%% ssl sndbuf=16k;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    ws_drain 0;
    ws_send_queue 8m;

    location /ws {
        ws_echo;
        ws_max_message 4m;
    }
}

EOF

###############################################################################

my $unit = pack 'N*', 0 .. 999_999;
my $large = WsFrame::encode(2, $unit);
my %small = (rcvbuf => 4096, sndbuf => 65536);

# Whoever closes, all messages before the Close arrive first.

for my $o ([], [tls => 1, port => $t->port('TLS')]) {
	my $name = @$o ? 'TLS' : 'plain';

	my $s = $t->ws('/ws', @$o, %small);
	$s->stuff($large . WsFrame::encode(8, pack 'n', 1000), 0.5);
	ok($s->message eq "binary:$unit", "$name: message before a close");
	is(join(' ', $s->read, $s->end), 'close:1000 eof', "$name: close");

	$s = $t->ws('/ws', @$o, %small);
	$s->stuff("$large\x83\x80", 0.5);
	ok($s->message eq "binary:$unit", "$name: message before a violation");
	$t->closes($s, 1002, "$name: violation");
}

my @sockets = map { $t->ws('/ws', @$_, %small) } [],
	[tls => 1, port => $t->port('TLS')];
$_->stuff($large, 0.5) for @sockets;
my ($old) = $t->reload;

for my $s (@sockets) {
	ok($s->message eq "binary:$unit", 'message before a drain');
	is($s->read, 'close:1001 going away', 'close of the drain');
	is($s->close(1001)->end, 'eof', 'end');
}

ok($t->gone($old), 'the old worker is gone');
is((grep { !/^100[012] 1$/ } $t->logged(6)), 0, 'log');

$t->finish;

###############################################################################

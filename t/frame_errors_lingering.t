#!/usr/bin/perl

# Tests for WebSocket: a close code arrives with `lingering_close off`, too.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->certificate->run(<<'EOT');

lingering_close off;
log_format socket "$status $ws_close_code $uri";
access_log %%TESTDIR%%/access.log socket;

server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_TLS%% ssl;
    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;
    ws_max_message 1k;
    ws_close_timeout 1s;

    location /ws {
        ws_echo;
    }

    location /file {
        return 200 x;
    }
}

EOT

###############################################################################

# A client that has much more to say when it is told to stop.

my $hello = WsFrame::encode(1, 'Hello');

for my $round (1 .. 5) {
	for my $tls (0, 1) {
		my $s = $t->ws('/ws', $tls ? (tls => 1, port => $t->port('TLS')) : ());
		$s->write("\x83\x80" . $hello x 100_000);
		$t->closes($s, 1002, "a protocol error, TLS $tls, round $round");
	}

	my $s = $t->ws('/ws')->write(WsFrame::encode(2, 'x' x 100_000));
	$t->closes($s, 1009, "a big message, round $round");
}

# What is sent when the server has closed already.

my $before = length $t->error_log;
my $s = $t->ws('/ws')->write("\x83\x80");
$t->wait_for(sub { substr($t->error_log, $before) =~ /closing with 1002/ });
$s->stuff($hello, 0.1) for 1 .. 10;
$t->closes($s, 1002, 'frames after the server has closed');

# Other requests have their own setting.

is($t->http('/file')->status, 200, 'another location');
$t->wait_for(sub { 16 <= grep { /^101/ } $t->access_log });
is((grep { $_ eq '101 1002 /ws' } $t->access_log), 11, 'access log');

$t->finish;

###############################################################################

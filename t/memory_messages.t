#!/usr/bin/perl

# Tests for WebSocket: memory does not grow with the messages of a socket.

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

log_format count "$ws_messages_in $ws_bytes_in";
access_log %%TESTDIR%%/access.log count;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

# 200,000 messages of 1 KiB on one socket.

my $worker = ($t->workers)[0];
my $batch = WsFrame::encode(1, 'm' x 1024) x 1000;
my $answer = ("\x81\x7e\x04\x00" . 'm' x 1024) x 1000;

my $s = $t->ws('/ws');
my $rss;

for my $i (1 .. 200) {
	$s->write($batch);
	$s->pump(sub { length $s->{in} >= length $answer });
	die "wrong echo in batch $i\n" unless $s->{in} eq $answer;
	$s->{in} = '';
	$rss = $t->rss($worker) if $i == 20;
}

$t->uses($t->rss($worker) - $rss, 64, 'kilobytes for 180,000 messages');

# And with fragments and pings, which take other paths.

my $mixed = WsFrame::encode(1, 'm' x 500, fin => 0) . WsFrame::encode(9, 'ping')
	. WsFrame::encode(0, 'm' x 524);

for my $i (1 .. 40) {
	$s->write($mixed x 500);
	$s->message for 1 .. 500;
	$s->{skipped} = [];
	$rss = $t->rss($worker) if $i == 8;
}

# Sixteen bytes a message would be as much.

$t->uses($t->rss($worker) - $rss, 256, 'kilobytes for 16,000 fragmented');

$s->close(1000)->end;
is(($t->logged(1))[0], '220000 ' . 220_000 * 1024, 'all of them counted');

$t->finish;

###############################################################################

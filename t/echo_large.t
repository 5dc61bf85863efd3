#!/usr/bin/perl

# Tests for WebSocket: messages of 64 megabytes, and the memory they leave.

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

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_max_message 64m;
    }
}

EOF

###############################################################################

use constant SIZE => 64 << 20;

my $worker = ($t->workers)[0];
my $unit = pack 'N*', 0 .. 99_990;
my $bytes = substr $unit x (SIZE / length($unit) + 1), 0, SIZE;
my $text = "\xe2\x82\xac" x int(SIZE / 3) . 'z' x (SIZE % 3);

my $s = $t->ws('/ws');
$s->text('warm')->read;
my $before = $t->rss($worker);

my $frame = $s->binary($bytes)->read_frame // {};
ok(($frame->{payload} // '') eq $bytes, 'binary');
$frame = $s->text($text)->read_frame // {};
ok(($frame->{payload} // '') eq $text, 'text');

# In fragments of odd sizes.

my $at = 0;
my $cut = int(SIZE / 10) + 77;
my $frames = '';

while ($at < SIZE) {
	$frames .= WsFrame::encode($at ? 0 : 2, substr($bytes, $at, $cut),
		fin => $at + $cut >= SIZE || 0);
	$at += $cut;
}

$s->write($frames);
ok($s->message eq "binary:$bytes", 'fragments');

$t->closes($s->binary('', length => SIZE + 1), 1009, 'one byte more');

$t->uses($t->rss($worker) - $before, 4 << 10, 'memory is given back');
$t->uses($t->peak($worker) - $before, (2 * SIZE >> 10) + (8 << 10),
	'at most two copies at a time');

$t->finish;

###############################################################################

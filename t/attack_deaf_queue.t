#!/usr/bin/perl

# Tests for WebSocket under attack: what waits for a client that never reads takes
# no more memory than ws_send_queue says, whatever it consists of.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Compress::Raw::Zlib;
use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k rcvbuf=64k;

    ws_send_queue 1m;
    ws_max_fragments 1000000;
    ws_send_timeout 60s;
    ws_drain 10ms;
    ws_compression on;
    ws_compression_min_length 1;

    location = /plain    { ws_echo; ws_compression off; }
    location = /deflate  { ws_echo; }
    location = /takeover { ws_echo; ws_compression_context_takeover on; }
    location = /rest     { ws_rest /api/; ws_inflight 64; }
    location /api/       { access_log off; default_type text/plain; return 200 $arg_x; }
}

EOF

###############################################################################

# The size of the queue and a bit more, and one megabyte for all else.
use constant LIMIT => 1.3 * 1024 + 1024;

my $offer = ['Sec-WebSocket-Extensions: permessage-deflate'];

srand 8;
my $noise = join '', map { chr 32 + int rand 94 } 1 .. 100_000;

sub deflated {
	my ($plain) = @_;
	my $z = Compress::Raw::Zlib::Deflate->new(-WindowBits => -(MAX_WBITS),
		-AppendOutput => 1);
	my $out = '';
	$z->deflate($plain, $out);
	$z->flush($out, Z_SYNC_FLUSH);
	return substr $out, 0, -4;
}

sub fragments {
	my ($size, $count) = @_;
	return WsFrame::encode(1, 'x' x $size, fin => 0)
		. WsFrame::encode(0, 'x' x $size, fin => 0) x ($count - 2)
		. WsFrame::encode(0, 'x' x $size);
}

sub compressed { WsFrame::encode(1, deflated($_[0]), rsv => 4) }

my $call = '{"path":"/api/"}';
my @floods = (
	['/plain', 'empty messages', WsFrame::encode(1, '')],
	['/plain', 'messages of a byte', WsFrame::encode(1, 'x')],
	['/plain', 'messages of 130 bytes', WsFrame::encode(1, 'x' x 130)],
	['/plain', 'messages of 5000 bytes', WsFrame::encode(2, 'x' x 5000)],
	['/plain', 'messages of 70,000 bytes', WsFrame::encode(2, 'x' x 70_000)],
	['/plain', 'fragments of a byte', fragments(1, 2000)],
	['/plain', 'a few fragments of nothing', fragments(0, 5)],
	['/plain', 'fragments of 200 bytes', fragments(200, 300)],
	['/plain', 'messages and fragments', WsFrame::encode(1, 'a')
		. fragments(3, 10) . WsFrame::encode(2, 'x' x 1500)],
	['/plain', 'pings', WsFrame::encode(9, 'p' x 125)],
	(map { my $path = $_; (
		[$path, 'messages of a byte', WsFrame::encode(1, 'x')],
		[$path, 'compressed messages', compressed('some text, ' x 5)],
		[$path, 'messages of 1000 noisy bytes',
			WsFrame::encode(1, substr $noise, 0, 1000)],
		[$path, 'messages of 20,000 noisy bytes',
			compressed(substr $noise, 0, 20_000)],
		[$path, 'messages of 100,000 equal bytes', compressed('x' x 100_000)],
		[$path, 'fragments', fragments(10, 100)],
	) } '/deflate', '/takeover'),
	['/rest', 'calls', WsFrame::encode(1, $call)],
	['/rest', 'errors', WsFrame::encode(1, '{')],
);

for (@floods) {
	my ($path, $name, $unit) = @$_;

	# Each has a worker of its own, with nothing left from others.

	my ($old) = $t->reload;
	$t->gone($old) or die "the old worker stays\n";
	my ($worker) = $t->workers;

	my $deaf = $t->ws($path, rcvbuf => 4096, sndbuf => 65536,
		$path eq '/plain' ? () : (headers => $offer));
	my $before = $t->rss($worker);
	my $times = 1 + int((8 << 20) / length $unit);
	my $taken = $deaf->stuff($unit x $times, 0.5);
	my $grown = $t->peak($worker) - $before;
	note(sprintf '%s, %s: %d kB taken, %d kB of memory', $path, $name,
		$taken / 1024, $grown);
	$t->uses($grown, LIMIT, "$path, $name: kilobytes");
	is($deaf->{broken} // 0, 0, "$path, $name: it is still there");
	$deaf->reset;
}

$t->finish;

###############################################################################

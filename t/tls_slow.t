#!/usr/bin/perl

# Tests for WebSocket: partial reads and writes over TLS, both ways at once.

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

server {
    listen 127.0.0.1:%%PORT%% ssl sndbuf=8k rcvbuf=8k;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    ws_send_queue 32k;
    ws_send_timeout 1s;

    location /ws {
        ws_echo;
        ws_max_message 1m;
    }
}

EOF

###############################################################################

my $worker = ($t->workers)[0];
my $unit = pack 'N*', 0 .. 9990;

# Sends frames and reads slowly, in small pieces, with small socket buffers.

sub slowly {
	my ($s, $pause, @payloads) = @_;

	$s->{out} = join '', map { WsFrame::encode(2, $_) } @payloads;
	my @got;

	while (@got < @payloads && !$s->{ended}) {
		my $expected = @got;
		$s->pump(sub { 0 }, timeout => $pause / $NginxWs::slow, deaf => 1);
		$s->read_some;
		while (my $frame = WsFrame::decode(\$s->{in})) {
			push @got, $frame->{payload};
		}
	}

	return join('', @got) eq join('', @payloads);
}

for my $sizes (
	[map { 1000 } 1 .. 200],
	[map { 16384 - 4 } 1 .. 12],
	[map { 16384 } 1 .. 12],
	[1 << 20, 1, 1 << 19],
	[map { 1 + $_ * 37 } 1 .. 150],
) {
	my $s = $t->ws('/ws', tls => 1, rcvbuf => 4096, sndbuf => 4096);
	my @payloads = map { substr $unit x ($_ / length($unit) + 1), 0, $_ }
		@$sizes;
	my $name = @$sizes . " messages, the first of $sizes->[0] bytes";

	ok(slowly($s, 0.001, @payloads), $name);
	is(join(' ', $s->close(1000)->read, $s->end), 'close:1000 eof',
		"$name: close");
}

# A client that stops reading does not hold more than the queue.

$t->ws('/ws', tls => 1)->text('warm')->read;
my $before = $t->rss($worker);
my $s = $t->ws('/ws', tls => 1, rcvbuf => 4096, sndbuf => 4096);
my $taken = $s->stuff(WsFrame::encode(2, 'x' x 1000) x 20_000, 0.3);

cmp_ok($taken, '<', 512 << 10, 'bytes taken from a client that does not read');
$t->uses($t->rss($worker) - $before, 1 << 10, 'memory for it');
ok($t->wait_for(sub { $t->error_log =~ /client does not read/ }),
	'it is dropped');

$t->finish;

###############################################################################

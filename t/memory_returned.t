#!/usr/bin/perl

# Tests for WebSocket: what a crowd of large messages took goes back to the
# system when they are gone.

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
    listen 127.0.0.1:%%PORT%% sndbuf=16k rcvbuf=16k;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

use constant SOCKETS => 60;

my $worker = ($t->workers)[0];
my $large = WsFrame::encode(2, 'x' x (1 << 20));
$t->ws('/ws')->text('warm')->message;
my $rss = $t->rss($worker);

# Small ones in between, which stay: they keep the heap from shrinking.

my @stay;

sub crowd {
	my ($name, $bytes) = @_;
	my @s;
	for (1 .. SOCKETS) {
		my $s = $t->ws('/ws', rcvbuf => 4096);
		$s->stuff($bytes, 0.01);
		push @s, $s;
		push @stay, $t->ws('/ws') if @s % 10 == 0;
	}
	my $most = $t->rss($worker) - $rss;
	cmp_ok($most, '>', SOCKETS * 512, "$name: there were large messages");
	$_->reset for @s;
	my $left = $t->rss($worker) - $rss;
	# A wrapper has an allocator of its own, which keeps it.
	$t->wait_for(sub { ($left = $t->rss($worker) - $rss) < 8 << 10 }, 5)
		if $NginxWs::slow == 1;
	$t->uses($left, 8 << 10, "$name: their memory is given back");
	note("$name: $most kB, then $left kB");
}

crowd('input', substr $large, 0, 700_000);
crowd('output', $large x 2);
crowd('both', $large . substr $large, 0, 700_000);
crowd('once more', substr $large, 0, 700_000);

is($_->text('x')->message, 'text:x', 'the others stay') for @stay;

$t->finish;

###############################################################################

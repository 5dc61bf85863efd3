#!/usr/bin/perl

# Tests for WebSocket: many reloads under load.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $conf = <<'EOF';

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_drain 200ms;
    }
}

EOF

my $t = NginxWs->new->run($conf);

###############################################################################

# Sockets that talk all the time; each is replaced when it is closed.

my $message = WsFrame::encode(2, 'm' x 2000) x 20;
my %ends;
my ($echoes, $closed) = (0, 0);
my @sockets = map { $t->ws('/ws') } 1 .. 20;

sub talk {
	for my $s (@sockets) {
		$s->write($message) unless $s->{told};

		while (my $frame = WsFrame::decode(\$s->{in})) {
			if ($frame->{opcode} == 8) {
				$s->{told} = unpack 'n', $frame->{payload};
				$s->close($s->{told});
			} else {
				$echoes++;
			}
		}

		if ($s->{told}) {
			$s->{end} = $s->end(5);
		} elsif ($s->{ended}) {
			$s->{end} = $s->{ended};
		}
	}

	for my $s (grep { $_->{end} } @sockets) {
		$ends{($s->{told} // 'no close') . " $s->{end}"}++;
		$closed++;
	}

	@sockets = map { $_->{end} ? $t->ws('/ws') : $_ } @sockets;
}

for my $reload (1 .. 8) {
	my @old = $t->reload;
	my $goal = $closed + 10;
	$t->wait_for(sub { talk(); $closed >= $goal });
}

cmp_ok($echoes, '>', 1000, 'echoes');
cmp_ok($closed, '>=', 80, 'closed sockets');
is(join(', ', sort keys %ends), '1001 eof', 'all of them with 1001');

$_->hang_up for @sockets;
ok($t->wait_for(sub { $t->workers == 1 }), 'one worker is left');

$t->finish;

###############################################################################

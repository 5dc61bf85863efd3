#!/usr/bin/perl

# Tests for WebSocket under attack: clients that close their half of the connection.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use IO::Socket::IP;
use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->certificate;

# A backend that never answers.
my $backend = IO::Socket::IP->new(Listen => 1024, LocalHost => '127.0.0.1',
	LocalPort => $t->port('backend')) or die "listen: $!\n";

$t->run(<<'EOF', events => 'worker_connections 2048;');

server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k rcvbuf=16k;
    listen 127.0.0.1:%%PORT_tls%% ssl sndbuf=16k rcvbuf=16k;
    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    ws_send_timeout 2s;
    ws_close_timeout 2s;
    client_header_timeout 2s;

    location /ws {
        ws_echo;
        ws_compression on;
    }

    location /rest {
        ws_rest /slow/;
    }

    location /slow/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

use constant EACH => 8;

# What one client may hold in kilobytes: an incomplete message and as much
# output, ws_max_message and ws_send_queue; or a socket with TLS and no more.
use constant LARGE => 2 * 1024;
use constant SMALL => 64;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

sub descriptors { $t->descriptors($worker) }

my $hello = WsFrame::encode(1, 'hello');
my $large = WsFrame::encode(2, 'x' x (1 << 20));

# What the clients have said when they close their half; they never close the
# other, and the first ones read nothing, either.

my @stages = (
	['nothing', ''],
	['half a header', substr $hello, 0, 1],
	['half a frame', substr $hello, 0, 8],
	['half a large frame', substr $large, 0, 500_000],
	['half a message', WsFrame::encode(1, 'hello', fin => 0)],
	['a message', $hello],
	['more than they read', $large x 3],
	['a flood of pings', WsFrame::encode(9, 'x' x 125) x 5000],
	['a violation', "\x83\x80" . $hello x 1000],
	['a close', WsFrame::encode(8, pack 'n', 1000)],
	['half a close', substr WsFrame::encode(8, pack 'n', 1000), 0, 7],
	['a close behind messages', $hello x 1000 . WsFrame::encode(8, '')],
);

my $others = Bystander->new($t);
$t->ws('/ws')->text('warm')->close(1000)->end;
$t->ws('/ws', tls => 1, port => $t->port('tls'))->text('warm')->close(1000)->end;
my $before = descriptors();
my ($rss, $peak, $cpu) = ($t->rss($worker), $t->peak($worker), cpu());
my (@attackers, $limit);

for my $stage (@stages) {
	for my $tls (0, 1) {
		for (1 .. EACH) {
			my $s = $t->ws('/ws', rcvbuf => 4096, sndbuf => 4096,
				$tls ? (tls => 1, port => $t->port('tls')) : ());
			$s->stuff($stage->[1], 0.01);
			shutdown $s->{socket}, 1;
			push @attackers, $s;
			$limit += length $stage->[1] > 100_000 ? LARGE : SMALL;
		}
	}
	$others->ask;
}

# In the handshake, before and behind its end; and with calls under way.

for my $bytes ('', 'GET /ws HT', WsClient::upgrade(),
	WsClient::upgrade() . $hello, WsClient::upgrade() . $large)
{
	for (1 .. EACH) {
		my $s = WsClient->new(port => $t->port);
		$s->stuff($bytes, 0.01);
		push @attackers, $s->shut_write;
		$limit += length $bytes > 100_000 ? LARGE : SMALL;
	}
	$others->ask;
}

my $call = WsFrame::encode(1, '{"path":"/slow/x"}');
my @waiting = map { $t->ws('/rest')->write($call x 10)->shut_write } 1 .. EACH;
$limit += EACH * 10 * SMALL;

# Those that are half there cost nothing.

my $waiting = cpu();
ok($t->wait_for(sub { $others->ask; descriptors() <= $before }, 15),
	'no connection is left')
	or diag("$before descriptors before, now " . descriptors());
my $grown = $t->peak($worker) - $peak;
my $kept = $t->rss($worker) - $rss;
($waiting, $cpu) = (cpu() - $waiting, cpu() - $cpu);
note(sprintf '%d clients: memory %d kB of at most %d, %d kB then; CPU %.2f s, '
	. 'of it %.2f s waiting', @attackers + @waiting, $grown, $limit, $kept,
	$cpu, $waiting);
$t->uses($grown, $limit, 'kilobytes of memory');
$t->uses($kept, 8 << 10, 'kilobytes of memory when they are gone');
cmp_ok($cpu, '<', 5 * $slow, 'seconds of CPU');
cmp_ok($waiting, '<', 1 * $slow, 'seconds of CPU while they wait');
isnt($_->end, 'timeout', 'the client sees an end') for @attackers[0, -1];

$others->served;

$t->finish;

###############################################################################

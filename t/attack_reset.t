#!/usr/bin/perl

# Tests for WebSocket under attack: resets in the middle of everything.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use IO::Socket::IP;
use JSON::PP;
use NginxWs;
use Socket qw/SOL_SOCKET SO_LINGER/;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->certificate;

# A backend that never answers.
my $backend = IO::Socket::IP->new(Listen => 1024, LocalHost => '127.0.0.1',
	LocalPort => $t->port('backend')) or die "listen: $!\n";

$t->run(<<'EOF', events => 'worker_connections 4096;');

ws_zone counts 64k;

server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k rcvbuf=16k;
    listen 127.0.0.1:%%PORT_tls%% ssl sndbuf=16k rcvbuf=16k;
    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_echo;
        ws_compression on;
        ws_message_rate 1000r/s burst=100;
    }

    location /idle {
        ws_echo;
        ws_idle_timeout 100ms;
    }

    location /rest {
        ws_rest /api/;
    }

    location /api/ {
        return 200 answer;
    }

    location /api/slow/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /status {
        ws_status json;
        access_log off;
    }
}

EOF

###############################################################################

use constant EACH => 16;

# What a socket may hold: an incomplete message, and as much again as output,
# ws_max_message and ws_send_queue.  At no time does the test hold more sockets
# than EACH, and each of its messages is below that.
use constant LIMIT => EACH * 2 * 1024;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

sub descriptors { $t->descriptors($worker) }

my $upgrade = WsClient::upgrade();
my $deflate = WsClient::upgrade(
	headers => ['Sec-WebSocket-Extensions: permessage-deflate']);
my $hello = WsFrame::encode(1, 'hello');
my $large = WsFrame::encode(2, 'x' x (1 << 20));
my $bye = WsFrame::encode(8, pack 'n', 1000);

# In the handshake: the bytes and the reset come at once, so that the server
# finds both when it first looks.

my %handshakes = (
	'nothing' => '',
	'half a request line' => substr($upgrade, 0, 9),
	'half a header' => substr($upgrade, 0, 60),
	'all but the last byte' => substr($upgrade, 0, -1),
	'a handshake' => $upgrade,
	'a handshake with compression' => $deflate,
	'a handshake and half a frame' => $upgrade . substr($hello, 0, 5),
	'a handshake and a frame' => $upgrade . $hello,
	'a handshake and a close' => $upgrade . $bye,
	'a handshake and a violation' => "$upgrade\x83\x80",
	'a handshake and more than fits' => $upgrade . $large,
);

# Behind it: what is sent, and what is waited for before the reset.

my %sockets = (
	'nothing' => ['', 0],
	'one byte' => [substr($hello, 0, 1), 0],
	'half a mask' => [substr($hello, 0, 4), 0],
	'half a payload' => [substr($hello, 0, 8), 0],
	'half a large payload' => [substr($large, 0, 300_000), 0],
	'a fragment' => [WsFrame::encode(1, 'hello', fin => 0), 0],
	'a message' => [$hello, 0],
	'an answered message' => [$hello, 1],
	'a message over the rate' => [$hello x 2000, 1],
	'pending output' => [$large x 3, 0],
	'pending output, partly read' => [$large x 3, 1],
	'pings' => [WsFrame::encode(9, 'x' x 125) x 3000, 0],
	'a close' => [$bye, 0],
	'an answered close' => [$bye, 1],
	'a close behind pending output' => [$large . $bye, 0],
	'a violation' => ["\x83\x80", 0],
	'an answered violation' => ["\x83\x80", 1],
	'a violation and more' => ["\x83\x80" . $large, 1],
);

my $others = Bystander->new($t);

sub attack {
	my ($name, $code) = @_;
	my ($rss, $cpu) = ($t->rss($worker), cpu());
	my $count = $code->();
	my $grown = $t->rss($worker) - $rss;
	$cpu = cpu() - $cpu;
	note(sprintf '%s: %d resets, memory %d kB, CPU %.2f s', $name, $count,
		$grown, $cpu);
	$t->uses($grown, LIMIT, "$name: kilobytes of memory");
	cmp_ok($cpu, '<', 3 * $slow, "$name: seconds of CPU");
	ok($t->wait_for(sub { $t->rss($worker) < $rss + (8 << 10) * $slow }, 5),
		"$name: memory is given back");
	$others->served("$name: others are served meanwhile");
}

my @tls = (tls => 1, port => $t->port('tls'));
$t->ws('/ws')->text('warm')->close(1000)->end;
$t->ws('/ws', @tls)->text('warm')->close(1000)->end;
my $before = descriptors();

attack('in handshakes', sub {
	for my $bytes (values %handshakes) {
		for (1 .. EACH) {
			my $s = WsClient->new(port => $t->port);
			$s->stuff($bytes, 0.01);
			$s->reset;
		}
		$others->ask;
	}
	return EACH * keys %handshakes;
});

for my $tls (0, 1) {
	attack($tls ? 'in sockets with TLS' : 'in sockets', sub {
		for my $stage (values %sockets) {
			my ($bytes, $wait) = @$stage;
			my @s = map { $t->ws('/ws', rcvbuf => 4096,
				$tls ? @tls : ()) } 1 .. EACH / (1 + 3 * $tls);
			for my $s (@s) {
				$s->stuff($bytes, 0.01);
				$s->read_frame if $wait;
			}
			$others->ask;
			reset_tls($_) for @s;
		}
		return EACH / (1 + 3 * $tls) * keys %sockets;
	});
}

# The end of TLS is not said, either.

sub reset_tls {
	my ($s) = @_;
	setsockopt($s->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
	$s->{tls} ? $s->{socket}->close(SSL_no_shutdown => 1)
		: close $s->{socket};
}

attack('in TLS handshakes', sub {
	# The first bytes of a ClientHello.
	my $client_hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	for my $bytes ('', "\x16", $client_hello, $client_hello . 'x' x 505) {
		for (1 .. EACH) {
			my $s = WsClient->new(port => $t->port('tls'));
			$s->stuff($bytes, 0.01);
			$s->reset;
		}
	}
	return 4 * EACH;
});

# While calls are under way, and in the middle of their answers.

my $call = WsFrame::encode(1, '{"id":1,"path":"/api/x"}');
my $waits = WsFrame::encode(1, '{"id":2,"path":"/api/slow/x"}');

attack('in calls', sub {
	for my $bytes ($call, $call x 500, $waits, $waits x 20, $call . $waits) {
		my @s = map { $t->ws('/rest', rcvbuf => 4096) } 1 .. EACH;
		$_->stuff($bytes, 0.01) for @s;
		$others->ask;
		$_->reset for @s;
	}
	return 5 * EACH;
});

# When the server closes.

attack('at an idle timeout', sub {
	my @s = map { $t->ws('/idle') } 1 .. EACH;
	$_->read_close for @s[0 .. EACH / 2];
	$_->reset for @s;
	return EACH;
});

# Nothing is left of any of them.

undef $others;
ok($t->wait_for(sub { descriptors() < $before }), 'no descriptor is left')
	or diag("$before before, now " . descriptors());

my $s = $t->http("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
my $counts = decode_json($s->body)->{counts};
is($counts->{sockets}{active}, 0, 'no socket is left');
is($counts->{rest}{active}, 0, 'no call is left');

my ($errors) = $t->error_log =~ /^(.*\[(?:error|crit)\].*)$/m;
is($errors, undef, 'nothing worse than info');

$t->finish;

###############################################################################

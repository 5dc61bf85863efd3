#!/usr/bin/perl

# Tests for WebSocket under attack: frames masked, half masked and not masked.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 2048;');

log_format code "$ws_close_code $ws_messages_in";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }

    location /others {
        ws_echo;
        access_log off;
    }
}

EOF

###############################################################################

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

my $others = Bystander->new($t, path => '/others');
$t->ws('/ws')->text('warm')->close(1000)->end;
my ($peak, $cpu, $count) = ($t->peak($worker), cpu(), 1);

# Every key is as good as any other, also those that make text of the payload
# or frames of it.

my $text = 'attack at dawn';
for my $mask ("\0\0\0\0", "\xff\xff\xff\xff", "\x81\x05he", 'atta', "\x88\x00\x88\x00") {
	is($t->ws('/ws')->text($text, mask => $mask)->read, "text:$text",
		'mask ' . unpack 'H*', $mask);
	$count++;
}

# The same bytes in the place of the key mean other bytes, not other frames.

my $hidden = WsFrame::encode(1, 'hidden', mask => '');
my $s = $t->ws('/ws')->binary($hidden x 3, mask => "\0\0\0\0");
is(join(' ', $s->read, $s->close(1000)->read), 'binary:' . $hidden x 3
	. ' close:1000', 'frames inside of a frame are its payload');
$count++;

# One frame without a mask, wherever it stands: nothing behind it is read.

my $good = WsFrame::encode(1, 'good');
my $ping = WsFrame::encode(9, '');
my $first = WsFrame::encode(1, 'first', fin => 0);

for my $opcode (1, 2, 0, 8, 9, 10) {
	for my $length (0, 1, 4, 125, 126, 65536) {
		my $naked = WsFrame::encode($opcode, 'x' x $length, mask => '');
		my $before = $opcode ? '' : $first;

		for (
			['first', '', 0], ['second', $good, 1], ['behind a ping', $ping, 0],
		) {
			my ($place, $bytes, $answers) = @$_;
			my $s = $t->ws('/ws')->write("$bytes$before$naked" . $good x 3);
			my ($code, $reason) = $s->read_close;
			# A control frame of more than 125 bytes is wrong twice.
			my $wrong = $opcode < 8 || $length < 126
				? 'frame not masked' : 'frame not masked|control frame too long';
			my @texts = grep { $_->{opcode} == 1 } @{$s->{skipped}};
			my $seen = sprintf '%s %s %d', $code // 'none', $reason // '',
				scalar @texts;
			like($seen, qr/^1002 (?:$wrong) $answers$/,
				"opcode $opcode, $length bytes, $place");
			$s->hang_up;
			$count++;
		}
		$others->ask;
	}
}

# The key of a frame without the bit is payload, and is not waited for.

$t->closes($t->ws('/ws')->write("\x81\x06mask"), 1002, 'a key without the bit');
$t->closes($t->ws('/ws')->write("\x81\x06"), 1002, 'two bytes are enough');
$t->closes($t->ws('/ws', more => "\x81\x00"), 1002, 'behind the handshake');
$t->closes($t->ws('/ws')->dribble("\x81\x05"), 1002, 'byte by byte');
$count += 4;

# Other protocols begin without a mask, or with bits that mean nothing.

my %others = (
	'HTTP/1.1' => "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	'an upgrade' => WsClient::upgrade(),
	'HTTP/2' => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	'TLS' => "\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03",
	'SSH' => "SSH-2.0-OpenSSH_9.2\r\n",
	'a frame of a server' => "\x81\x05hello",
	'lines' => "\r\n" x 100,
	'zeros' => "\0" x 1000,
	'ones' => "\xff" x 1000,
);

for my $name (sort keys %others) {
	$t->closes($t->ws('/ws')->write($others{$name}), 1002, $name);
	$count++;
}

my $grown = $t->peak($worker) - $peak;
$cpu = cpu() - $cpu;
note("$count sockets: memory $grown kB, CPU $cpu s");
$t->uses($grown, 1024, 'kilobytes of memory');
cmp_ok($cpu, '<', 1 * $slow, 'seconds of CPU');

$others->served;
is((grep { !/^(?:1002|1000|1006) [0-3]$/ } $t->logged($count)), 0, 'log');

$t->finish;

###############################################################################

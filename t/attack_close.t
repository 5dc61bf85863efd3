#!/usr/bin/perl

# Tests for WebSocket under attack: garbage in Close frames, and Close frames without end.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use NginxWs;
use Test::More;
use Time::HiRes qw/time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 2048;');

log_format code "$ws_close_code $ws_close_reason";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    ws_close_timeout 1s;

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

# What a Close frame is answered with (RFC 6455, 5.5.1 and 7.4).

sub verdict {
	my ($payload) = @_;
	return 1005 unless length $payload;
	return 1002 if length $payload == 1;
	my ($code, $reason) = unpack 'na*', $payload;
	my $legal = $code >= 1000 && $code <= 1003 || $code >= 1007 && $code <= 1014
		|| $code >= 3000 && $code <= 4999;
	return 1002 unless $legal;
	return utf8::decode($reason) ? $code : 1007;
}

my $others = Bystander->new($t, path => '/others');
$t->ws('/ws')->text('warm')->close(1000)->end;
my ($peak, $cpu, $count) = ($t->peak($worker), cpu(), 1);

# Every length, with bytes that are the same in every run, and with UTF-8 that
# is right, or wrong at one place.

srand 6455;
my (@expected, @got);

for my $length (0 .. 125) {
	my $noise = join '', map { chr int rand 256 } 1 .. $length;
	my $euros = substr pack('n', 1000) . "\xe2\x82\xac" x 42, 0, $length;
	my $broken = $euros;
	substr $broken, 2 + int rand($length - 2), 1, "\xff" if $length > 2;

	for my $payload ($noise, $euros, $broken) {
		my $s = $t->ws('/ws')->frame(8, $payload);
		my ($code) = $s->read_close;
		push @expected, verdict($payload) . ' eof';
		push @got, ($code // 'none') . ' ' . $s->end;
		$count++;
	}
	$others->ask;
}

is_deeply(\@got, \@expected, 'verdicts');

# Nothing of what the client has said gets into the log as it is.

my $s = $t->ws('/ws')->close(3000, qq(a "quoted"\n127.0.0.1 - "GET /" \x01));
is($s->read, 'close:3000', 'a reason for the log');
$s->end;
my @log = grep { /^3000/ } $t->logged(++$count);
is("@log", '3000 a \x22quoted\x22\x0A127.0.0.1 - \x22GET /\x22 \x01',
	'is escaped there');

# The first Close counts, and a million bytes behind it do no harm.

for (
	['closes', WsFrame::encode(8, pack 'n', 1001)],
	['pings', WsFrame::encode(9, '')],
	['messages', WsFrame::encode(1, 'x' x 100)],
	['garbage', "\x83\x80"],
	['closes of one byte', WsFrame::encode(8, 'x')],
) {
	my ($name, $frame) = @$_;
	my $s = $t->ws('/ws')->write(WsFrame::encode(8, pack 'n', 1000)
		. $frame x ((1 << 20) / length $frame));
	my $answer = $s->read;
	# The server closes first and has not read all, so that it may be a reset.
	like("$answer " . $s->end, qr/^close:1000 (?:eof|reset)$/,
		"$name behind a close");
	$count++;
}

# A client that goes on and on is cut off.

$s = $t->ws('/ws')->write("\x83\x80");
my $zeros = "\0" x (1 << 20);
my $start = time;
while (!$s->{broken} && time - $start < 8 * $slow) {
	$s->stuff($zeros, 0.1);
	$others->ask;
}
ok($s->{broken}, 'a flood behind a violation is cut off');
note(sprintf '%d MB in %.1f s behind a violation', $s->{written} >> 20,
	time - $start);
$count++;

my $grown = $t->peak($worker) - $peak;
$cpu = cpu() - $cpu;
note("$count sockets: memory $grown kB, CPU $cpu s");
$t->uses($grown, 1024, 'kilobytes of memory');
cmp_ok($cpu, '<', 4 * $slow, 'seconds of CPU');

$others->served;

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket under attack: compressed bombs and garbage.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use Compress::Raw::Zlib;
use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 1024;');

server {
    listen 127.0.0.1:%%PORT%%;

    ws_compression on;

    location /ws {
        ws_echo;
    }

    location /remember {
        ws_echo;
        ws_compression_context_takeover on;
    }
}

EOF

###############################################################################

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

my @offer = (headers =>
	['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits']);

# The payload of a compressed message, or a part of one with a final block.

sub deflate {
	my ($plain, $flush) = @_;
	my $z = Compress::Raw::Zlib::Deflate->new(-WindowBits => -(MAX_WBITS),
		-AppendOutput => 1, -Level => 9);
	my $out = '';
	$z->deflate($plain, $out);
	$z->flush($out, $flush // Z_SYNC_FLUSH);
	return $flush ? $out : substr $out, 0, -4;
}

sub compressed {
	my ($payload, %o) = @_;
	return WsFrame::encode(2, $payload, rsv => 4, %o);
}

$t->ws('/ws', @offer)->write(compressed(deflate('x' x 5000)))->read;
my $others = Bystander->new($t);
my $megabyte = deflate("\0" x (1 << 20));
my $tail = "\0\0\xff\xff";

# Runs an attack so many times on sockets of their own, and says what each has
# cost.  The memory is that of all of them, which leave one by one.

sub attack {
	my ($name, $times, $kilobytes, $seconds, $code) = @_;
	my $peak = $t->peak($worker);
	$code->();
	my $cpu = cpu();
	my %seen;
	for (1 .. $times) {
		$seen{$code->()}++;
		$others->ask;
	}
	my $grown = $t->peak($worker) - $peak;
	$cpu = (cpu() - $cpu) / $times;
	note(sprintf '%s: memory %d kB, CPU %.1f ms', $name, $grown, 1000 * $cpu);
	$t->uses($grown, $kilobytes, "$name: kilobytes of memory");
	# Valgrind slows this down more than what waits for the kernel.
	cmp_ok($cpu, '<', $seconds * $slow * ($slow > 1 ? 4 : 1),
		"$name: seconds of CPU");
	return join ' ', %seen;
}

sub close_of {
	my ($path, $bytes) = @_;
	my $s = $t->ws($path, @offer)->write($bytes);
	my ($code, $reason) = $s->read_close;
	$s->hang_up;
	return $code // 'none';
}

# A gigabyte in a megabyte: once whole, once behind an innocent beginning.

my $gigabyte = compressed(($megabyte . $tail) x 999 . $megabyte);
cmp_ok(length $gigabyte, '<', 1 << 20, 'a thousand megabytes fit into one');
is(attack('bomb of a gigabyte', 20, 4096, 0.05,
	sub { close_of('/ws', $gigabyte) }), '1009 20', 'bombs are closed');
is(attack('bomb with takeover', 20, 4096, 0.05,
	sub { close_of('/remember', $gigabyte) }), '1009 20',
	'bombs with takeover');

# A million blocks with nothing in them, and 100,000 final blocks.

my $blocks = compressed("\0$tail" x 200_000 . "\0");
is(attack('empty blocks', 5, 4096, 0.2, sub {
	my $s = $t->ws('/ws', @offer)->write($blocks);
	return $s->read(20);
}), 'binary: 5', 'a message of empty blocks');

my $final = compressed(deflate('x', Z_FINISH) x 100_000);
is(attack('final blocks', 5, 8192, 0.5, sub {
	my $s = $t->ws('/ws', @offer)->write($final);
	my $frame = $s->read_frame(20);
	return $frame ? $frame->{rsv} : 'none';
}), '4 5', 'a message of final blocks');

# The same, and blocks with nothing in them, behind all that they may refer to:
# a window is loaded only for what does refer to it.

my $text = deflate('x' x 32768) . $tail;
is(attack('empty final blocks', 5, 8192, 0.2, sub {
	my $s = $t->ws('/ws', @offer)->write(compressed($text . "\3\0" x 480_000));
	my $frame = $s->read_frame(20);
	return $frame ? $frame->{rsv} : 'none';
}), '4 5', 'a message of empty final blocks');

# Three bytes from one back, with the fixed code.

is(attack('final blocks that refer back', 20, 8192, 0.1, sub {
	close_of('/ws', compressed($text . "\x03\x02\0" x 300_000));
}), '1008 20', 'a window for each of many final blocks');

# Messages just within the limit, of a thousand bytes each on the wire, that
# come back the same way.

is(attack('messages at the limit', 3, 8192, 0.5, sub {
	my $s = $t->ws('/ws', @offer);
	$s->write(compressed($megabyte) x 20);
	my $frames = grep { ($s->read_frame(20) // {rsv => 0})->{rsv} } 1 .. 20;
	$s->hang_up;
	return $frames;
}), '20 3', 'messages at the limit are echoed');

# Small messages that are large enough to be compressed again.

my $small = compressed(deflate('x' x 1024));
cmp_ok(length $small, '<', 30, 'few bytes for a kilobyte');
for my $path ('/ws', '/remember') {
	is(attack("small messages, $path", 3, 4096, 1.5, sub {
		my $s = $t->ws($path, @offer)->write($small x 5000);
		my $frames = grep { ($s->read_frame(20) // {rsv => 0})->{rsv} }
			1 .. 5000;
		$s->hang_up;
		return $frames;
	}), '5000 3', "$path: small messages are echoed");
}

# Garbage: the same in every run.

srand 7692;
my %codes;
my ($rss, $cpu) = ($t->rss($worker), cpu());
for my $i (1 .. 2000) {
	my $payload = $i % 2 ? join '', map { chr int rand 256 } 1 .. 1 + rand 200
		: deflate('some text, some more text, ' x 20);
	substr $payload, rand length $payload, 1, chr int rand 256 unless $i % 2;
	my $s = $t->ws($i % 3 ? '/ws' : '/remember', @offer)
		->write(compressed($payload));
	my $frame = $s->read_frame;
	$codes{$frame->{opcode} == 8 ? unpack 'n', $frame->{payload} : 'echo'}++;
	$s->hang_up;
}
my $grown = $t->rss($worker) - $rss;
$cpu = cpu() - $cpu;
note("garbage: memory $grown kB, CPU $cpu s, ", explain \%codes);
cmp_ok($codes{1007}, '>', 1000, 'most garbage is closed with 1007');
is(join(' ', grep { !/^(?:1007|echo)$/ } keys %codes), '', 'or is a message');
$t->uses($grown, 1024, 'kilobytes of memory');
cmp_ok($cpu, '<', 2 * $slow, 'seconds of CPU');

# Half a bomb: what is kept of a message is what has arrived, not inflated.

my @waiting;
attack('half bombs that wait', 50, 1100 * 50, 0.05, sub {
	push @waiting, $t->ws('/ws', @offer)
		->write(substr $gigabyte, 0, -1);
	return 1;
});
$_->hang_up for @waiting;
$others->served;

$t->finish;

###############################################################################

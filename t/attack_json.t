#!/usr/bin/perl

# Tests for WebSocket under attack: JSON that is meant to be expensive.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use IO::Socket::IP;
use NginxWs;
use RestClient;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new;

# A backend that never answers.
my $backend = IO::Socket::IP->new(Listen => 1024, LocalHost => '127.0.0.1',
	LocalPort => $t->port('backend')) or die "listen: $!\n";

$t->run(<<'EOF', events => 'worker_connections 1024;');

server {
    listen 127.0.0.1:%%PORT%%;

    # The default, in which all of the attacks have to fit.
    ws_max_message 1m;
    client_max_body_size 1m;

    location /ws {
        ws_rest /api/;
        ws_route act GET /api/$ws_arg_x;
        ws_client_headers X-Custom;
    }

    location /few {
        ws_rest /api/;
        ws_inflight 4;
    }

    location /api/ {
        return 200 now;
    }

    location /api/slow/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

use constant MAX => 1 << 20;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];
my $s = RestClient->open($t);

# Fills a message with so many repetitions as fit.

sub fill {
	my ($begin, $piece, $end, $reverse) = @_;
	my $room = MAX - length($begin) - length($end);
	my $times = int $room / (length($piece) + length($reverse // ''));
	return $begin . $piece x $times . ($reverse // '') x $times . $end;
}

# As many numbered members as fit.

sub members {
	my ($begin, $pattern, $end) = @_;
	my ($message, $i) = ($begin, 0);
	while (1) {
		my $member = sprintf $pattern, $i++;
		last if length($message) + length($member) + length $end > MAX - 1;
		$message .= ',' if $i > 1;
		$message .= $member;
	}
	return $message . $end;
}

my $path = '"path":"/api/x"';

my @attacks = (
	['10,000 levels', '[' x 10_000 . ']' x 10_000, ' 400 bad_message'],
	['10,000 levels without an end', '[' x 10_000, ' 400 bad_json'],
	['10,000 levels of objects', '{"a":' x 10_000 . '1' . '}' x 10_000,
		' 400 bad_message'],
	['10,000 levels as a body', "{\"id\":1,$path,\"body\":" . '[' x 10_000
		. ']' x 10_000 . '}', '1 200'],
	['1 MB of [', '[' x MAX, ' 400 bad_json'],
	['1 MB of {', '{' x MAX, ' 400 bad_json'],
	['1 MB of {"":', fill('', '{"":', ''), ' 400 bad_json'],
	['half a million levels', fill('', '[', '', ']'), ' 400 bad_message'],
	['half a million levels as a body', fill("{\"id\":1,$path,\"body\":", '[',
		'}', ']'), '1 200'],
	['half a million levels as an unknown member', fill("{\"id\":1,$path,\"x\":",
		'[', '}', ']'), '1 200'],
	['half a million levels as an id', fill('{"id":', '[', "0,$path}"),
		' 400 bad_json'],

	['a member twice', "{\"id\":1,$path,$path}", ' 400 bad_message'],
	['a member many times', fill("{\"id\":1,$path", ",$path", '}'),
		' 400 bad_message'],
	['the id many times', fill("{$path", ',"id":1', '}'), ' 400 bad_message'],
	['an unknown member many times', fill("{\"id\":1,$path", ',"x":1', '}'),
		'1 200'],
	['unknown members', members("{\"id\":1,$path,", '"%x":1', '}'), '1 200'],
	['unknown members with escapes', members("{\"id\":1,$path,",
		'"\u0061%x":1', '}'), '1 200'],
	['headers', members("{\"id\":1,$path,\"headers\":{", '"X%x":""', '}}'),
		'1 400 bad_message'],
	['a header many times', fill("{\"id\":1,$path,\"headers\":{\"X\":\"\"",
		',"X":""', '}}'), '1 400 bad_message'],
	['a header in many spellings', "{\"id\":1,$path,\"headers\":{" . join(',',
		map { '"' . join('', map { ord() & 1 ? uc chr(97 + $_ % 26)
			: chr(97 + $_ % 26) } 1 .. 20) . "$_\":\"\"" } 1 .. 999) . '}}',
		'1 400 header_not_allowed'],
	['parameters', members('{"id":1,"action":"act","params":{', '"x%x":1', '}}'),
		'1 400 bad_message'],
	['1000 parameters', '{"id":1,"action":"act","params":{"x":1,' . join(',',
		map { "\"x$_\":\"" . '\u00e9' x 150 . '"' } 1 .. 999) . '}}',
		'1 400 bad_message'],

	['lone surrogates in a path', fill('{"id":1,"path":"/', '\ud800', '"}'),
		'1 400 bad_message'],
	['lone surrogates, reversed', fill('{"id":1,"path":"/', '\udc00\ud800',
		'"}'), '1 400 bad_message'],
	['lone surrogates in a body', fill("{\"id\":1,$path,\"body\":\"",
		'\udbff', '"}'), '1 200'],
	['lone surrogates in a body of text', fill(
		"{\"id\":1,$path,\"encoding\":\"text\",\"body\":\"", '\udbff', '"}'),
		'1 400 bad_message'],
	['surrogates in pairs', fill(
		"{\"id\":1,$path,\"encoding\":\"text\",\"body\":\"", '\ud83d\ude00',
		'"}'), '1 200'],

	['an id of 1 MB', fill('{"id":"', 'x', "\",$path}"), ' 400 bad_message'],
	['an id of 1 MB of digits', fill('{"id":', '9', ",$path}"),
		' 400 bad_message'],
	['an id of 1 MB of escapes', fill('{"id":"', '\u0000', "\",$path}"),
		' 400 bad_message'],
	['a number of 1 MB', fill("{\"id\":1,$path,\"body\":1", '0', '}'), '1 200'],
	['an exponent of 1 MB', fill("{\"id\":1,$path,\"x\":1e", '9', '}'), '1 200'],
	['a path of 1 MB', fill('{"id":1,"path":"/', 'x', '"}'),
		'1 400 bad_message'],
	['a path of escapes', fill('{"id":1,"path":"/', '\u0061', '"}'),
		'1 400 bad_message'],
	['a path of dots', '{"id":1,"path":"/api' . '/a/..' x 1600 . '/x"}',
		'1 200'],
	['an action of 1 MB', fill('{"id":1,"action":"', '\u0061', '"}'),
		'1 404 not_found'],
	['a method of 1 MB', fill('{"id":1,"method":"', 'G', "\",$path}"),
		'1 400 bad_message'],
	['base64 of 1 MB', fill("{\"id\":1,$path,\"encoding\":\"base64\",\"body\":\"",
		'AAAA', '"}'), '1 200'],
	['base64 that is none', fill(
		"{\"id\":1,$path,\"encoding\":\"base64\",\"body\":\"", 'AAAA', '="}'),
		'1 400 bad_message'],
	['white space', fill('', " \t\r\n", "{\"id\":1,$path}"), '1 200'],
	['a string without an end', fill('"', 'x', ''), ' 400 bad_json'],
	['escapes without an end', fill('{"id":"', '\\\\', ''), ' 400 bad_json'],
	['broken escapes', fill('{"id":"', '\\u', '"}'), ' 400 bad_json'],
	['numbers', fill('[1', ',1', ']'), ' 400 bad_message'],
	['NUL', "\0" x MAX, ' 400 bad_json'],
);

# All attacks on one socket, each a few times: a message, what may be built of
# it, and what the kernel has not sent yet.

use constant TIMES => 3;

$s->call("{\"id\":1,$path,\"body\":\"" . 'x' x 1_000_000 . '"}') for 1 .. 3;
my $others = Bystander->new($t, message => "{\"id\":1,$path}",
	answer => '{"id":1,"status":200,"headers":{"content-type":"text/plain"},'
		. '"body":"now","encoding":"text"}');
my $peak = $t->peak($worker);
my ($worst, $worst_name) = (0, '');

for (@attacks) {
	my ($name, $message, $expected) = @$_;
	die "$name: too long\n" if length $message > MAX;
	my $frame = WsFrame::encode(1, $message);
	my $cpu = $t->cpu($worker);
	my %got;
	for (1 .. TIMES) {
		my $reply = $s->write($frame)->decoded;
		$got{join ' ', map { $_ // '' } $reply->{id},
			grep { defined } @$reply{qw/status error/}}++;
	}
	$cpu = ($t->cpu($worker) - $cpu) / TIMES;
	is_deeply(\%got, {$expected => TIMES}, $name);
	cmp_ok($cpu, '<', 0.1 * $slow, "$name: seconds of CPU");
	($worst, $worst_name) = ($cpu, $name) if $cpu > $worst;
	note(sprintf '%s: CPU %.2f ms', $name, 1000 * $cpu);
	$others->ask;
}

my $grown = $t->peak($worker) - $peak;
note(sprintf 'memory %d kB at the most; CPU %.1f ms, %s', $grown,
	1000 * $worst, $worst_name);
$t->uses($grown, 4 * MAX / 1024, 'kilobytes of memory at the most');

# Bytes that are no UTF-8 close the socket, wherever they stand.

my $cpu = $t->cpu($worker);
my ($rss, $count) = ($t->rss($worker), 0);
for my $bytes ("\xff", "\xc0\xaf", "\xed\xa0\x80", "\xed\xbf\xbf",
	"\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82")
{
	for my $begin ('{"id":"', '{"path":"/', "{$path,\"headers\":{\"X\":\"",
		"{$path,\"body\":\"", "{$path,\"body\":\"" . 'x' x (MAX - 100))
	{
		my $s = RestClient->open($t)->send("$begin$bytes\"}");
		is(join(' ', $s->read_close), '1007 invalid UTF-8',
			unpack('H*', $bytes) . ' behind ' . substr $begin, 0, 20);
		$s->hang_up;
		$count++;
	}
}
$cpu = $t->cpu($worker) - $cpu;
cmp_ok($cpu, '<', 0.05 * $count * $slow, 'invalid UTF-8: seconds of CPU');
cmp_ok($t->rss($worker) - $rss, '<', 2 * MAX / 1024 * $slow,
	'invalid UTF-8: kilobytes of memory');

# Calls that wait for a backend hold their messages: ws_inflight of each
# socket, and one that is not read on.

use constant SOCKETS => 10;

my $wait = WsFrame::encode(1, fill('{"path":"/api/slow/x","method":"POST",'
	. '"body":', '[', '}', ']'));
$rss = $t->rss($worker);
$cpu = $t->cpu($worker);
my @attackers = map { RestClient->open($t, '/few') } 1 .. SOCKETS;
for my $s (@attackers) {
	$s->stuff($wait x 7, 0.1);
	$others->ask;
}
$grown = $t->rss($worker) - $rss;
$cpu = $t->cpu($worker) - $cpu;
note(sprintf '%d sockets with calls that wait: memory %d kB each, CPU %.1f ms',
	SOCKETS, $grown / SOCKETS, 1000 * $cpu);
$t->uses($grown, SOCKETS * (4 + 2) * MAX / 1024,
	'calls that wait: kilobytes of memory');
cmp_ok($cpu, '<', SOCKETS * 7 * 0.05 * $slow, 'calls that wait: seconds of CPU');
$_->hang_up for @attackers;

$others->served;
is($s->call("{\"id\":1,$path}")->{status}, 200, 'the socket has stayed');

$t->finish;

###############################################################################

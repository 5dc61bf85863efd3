#!/usr/bin/perl

# Tests for conf/examples/echo-stack.conf.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Example;
use JSON::PP;
use Test::More;
use Time::HiRes qw/sleep time/;

###############################################################################

# Half a second of silence in place of 30, to see a ping.

my $t = Example->new('echo-stack',
	'ws_ping_interval 30s' => 'ws_ping_interval 500ms',
	'ws_pong_timeout 10s' => 'ws_pong_timeout 500ms');
$t->go;

my $open = sub { $t->ws(8080, '/ws', @_) };

sub logged {
	my ($want) = @_;
	my @found;
	$t->wait_for(sub {
		@found = grep { $want->($_) } map { decode_json($_) }
			$t->access_log('logs/access.log');
	});
	return @found;
}

###############################################################################
# Echo, as wscat and browsers see it.

my $s = $open->(headers => ['Origin: http://a.example',
	"User-Agent: \"quoted\" \\ \x{01}"]);
is($s->text('hello')->message, 'text:hello', 'text');
is($s->binary("\0\xff")->message, "binary:\0\xff", 'binary');
is(length $s->binary('b' x (1 << 20))->message, (1 << 20) + length 'binary:',
	'1 MB');
$t->closes($s->close(1000, 'bye'), 1000, 'close');

my ($line) = logged(sub { $_[0]{event} eq 'socket' });
like(delete $line->{time}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}[+-]\d\d:\d\d$/, 'time');
like(delete $line->{$_}, qr/^[0-9a-f]{32}$/, $_)
	for qw/connection_id request_id/;
cmp_ok(delete $line->{seconds}, '<', 60, 'seconds');
is_deeply($line, {level => 'info', event => 'socket',
	remote_addr => '127.0.0.1', request => 'GET /ws HTTP/1.1', status => 101,
	origin => 'http://a.example', user_agent => "\"quoted\" \\ \x01",
	close_code => 1000, close_reason => 'bye', messages_in => 3,
	messages_out => 3, bytes_in => 7 + (1 << 20), bytes_out => 7 + (1 << 20)},
	'the log of a socket');

$s = $open->();
$t->closes($s->binary('b' x (1 << 20) . 'b'), 1009, 'more than 1 MB');
($line) = logged(sub { $_[0]{event} eq 'socket' && $_[0]{close_code} == 1009 });
is($line->{level}, 'warn', 'the log of a violation');

# Heartbeat.

$s = $open->();
is($s->read, 'ping:', 'a ping of a silent socket');
is($s->pong('')->read, 'ping:', 'another, after its answer');
is($s->end, 'eof', 'no answer');
($line) = logged(sub { $_[0]{event} eq 'socket' && $_[0]{close_code} == 1006 });
is($line->{level}, 'warn', 'the log of it');

# Health.

is($t->get(8080, '/health')->body, "ok\n", 'health');
is($t->get(8080, '/')->status, 404, 'nothing else');
is($t->get(8080, '/ws')->status, 426, 'no upgrade');

($line) = logged(sub { $_[0]{event} eq 'request' && $_[0]{status} == 404 });
ok(defined delete $line->{$_}, "$_ of a request")
	for qw/time request_id seconds bytes/;
is_deeply($line, {level => 'warn', event => 'request', remote_addr => '127.0.0.1',
	request => 'GET / HTTP/1.1', status => 404, origin => '', user_agent => '',
	limit_req => '', limit_conn => ''}, 'the log of a request');
unlike($t->read_file('logs/access.log'), qr/health|metrics/,
	'health is not logged');
is(logged(sub { $_[0]{status} == 426 }), 1, 'no upgrade is');

# Each line is JSON, whatever clients send.

for my $bad ("\"\\", "\x01\x1f\x7f", "\xe2\x82\xac", "\xff\xc0\xaf", "\xed\xa0\x80",
	"\xf4\x90\x80\x80", "cut\xe2\x82", "x\xc3" x 2000)
{
	my $headers = "Host: localhost\r\nOrigin: o$bad\r\nUser-Agent: a$bad";
	my $seen = my @before = $t->access_log('logs/access.log');
	$t->http("GET /bad$bad HTTP/1.1\r\n$headers\r\n\r\n",
		port => $t->port(8080));
	$t->logged($seen + 1, 'logs/access.log');
	my $line = ($t->access_log('logs/access.log'))[-1];
	my $json = eval { JSON::PP->new->utf8->decode($line) };
	is(ref $json, 'HASH', 'JSON with ' . unpack 'H16', $bad) or diag($line, $@);
	like($json->{request}, qr!^GET /bad!, 'what is good stays');
}

# Limits of an address, with the example as it is.  Other addresses of this
# machine are other clients.

$t->render;
$t->reload;

sub handshakes {
	my ($address, $hold) = @_;
	my @open;
	for (1 .. 60) {
		my $try = $t->http('/ws', port => $t->port(8080), local => $address);
		return ($try->status, @open) if $try->status ne '101';
		push @open, $try;
		next if $hold;
		$try->close(1000)->end;
	}
	return ('none', @open);
}

my ($refused, @sockets) = handshakes('127.0.0.2', 1);
is($refused, 429, 'too many sockets');
is(scalar @sockets, 20, 'twenty at once');
($line) = logged(sub { $_[0]{status} == 429 });
is("$line->{level} $line->{limit_req} $line->{limit_conn}",
	'warn PASSED REJECTED', 'the log of it');
is(scalar(grep { $_->text('x')->message eq 'text:x' } @sockets), 20,
	'those that are open work');

my $began = time;
($refused, my @closed) = handshakes('127.0.0.3', 0);
is($refused, 429, 'too many handshakes');
cmp_ok(@closed, '>=', 21, 'after a burst');
cmp_ok(@closed, '<=', 22 + (time - $began) * 100 / 60, 'and 100 a minute');
ok($t->wait_for(sub { $t->http('/ws', port => $t->port(8080),
	local => '127.0.0.3')->status eq '101' }), 'the next one is taken');
($line) = logged(sub { $_[0]{remote_addr} eq '127.0.0.3'
	&& $_[0]{status} == 429 });
is("$line->{limit_req} $line->{limit_conn}", 'REJECTED ', 'the log of it');

# Metrics, on a port of their own.

is($t->get(8080, '/metrics')->status, 404, 'no metrics for everybody');
my $metrics = $t->get(9145, '/metrics');
like($metrics->header('Content-Type'), qr!^text/plain; version=0\.0\.4!,
	'metrics');
like($metrics->body, qr/^ws_sockets\{zone="echo"\} 20$/m,
	'open sockets');
like($metrics->body, qr/^ws_messages_total\{zone="echo",direction="in"
	,type="binary"\}\ 2$/mx, 'messages');
is($t->get(9145, '/')->status, 404, 'nothing else there');

# A reload: everybody is told, within ws_drain.

my @old = $t->reload;
my $start = time;
my %codes;
for my $socket (@sockets) {
	my ($code) = $socket->read_close;
	$codes{$code // 'none'}++;
	$socket->close(1001);
}
is_deeply(\%codes, {1001 => 20}, 'a reload says 1001');
ok($t->gone($_), 'the old worker leaves') for @old;
cmp_ok(time - $start, '<', 8 * $NginxWs::slow, 'within ws_drain');
($line) = logged(sub { $_[0]{event} eq 'socket' && $_[0]{close_code} == 1001 });
is("$line->{level} $line->{close_reason}", 'info going away', 'the log of it');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for conf/examples: nginx-build/example starts each of them, as
# docs/configurations.md says, and stops all that it started.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Example;
use IO::Socket::IP;
use JSON::PP;
use NginxWs;
use POSIX qw/WNOHANG setsid/;
use RestClient;
use Test::More;
use Time::HiRes qw/sleep/;

###############################################################################

Example::setup();

my $top = NginxWs::top();
my $t = NginxWs->new;

# Eight free ports, neither those t/lib takes nor those of clients.

sub listens {
	my ($port) = @_;
	return IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port);
}

my $base = 11000 + $$ % 1000 * 8;
$base += 8 while grep { listens($_) } $base .. $base + 7;

my $pid;

# Starts an example; returns its ports by those of the file.

sub example {
	my ($name) = @_;

	$pid = fork // die "fork: $!\n";
	if (!$pid) {
		setsid;
		open STDERR, '>', $t->dir . "/$name.log";
		open STDOUT, '>&', \*STDERR;
		exec "$top/nginx-build/example", '-p', $base, $name
			or POSIX::_exit(127);
	}

	my $conf = do { local (@ARGV, $/) = "$top/conf/examples/$name.conf"; <> };
	my (%ports, $i);
	for ($conf =~ /^\s*(?:listen |server 127\.0\.0\.1:)(\d+)/mg) {
		$ports{$_} //= $base + $i++;
	}

	$t->wait_for(sub {
		waitpid($pid, WNOHANG) || !grep { !listens($_) } values %ports;
	}, 60) or diag($t->read_file("$name.log"));
	return %ports;
}

# Ctrl-C: all of it ends.

sub interrupt {
	my ($name, %ports) = @_;
	kill 'INT', $pid;
	my $gone;
	ok($t->wait_for(sub { $gone ||= waitpid($pid, WNOHANG) }), "$name: Ctrl-C");
	is($? >> 8, 0, "$name: exits with 0");
	ok($t->wait_for(sub { !grep { listens($_) } values %ports }),
		"$name: all has stopped");
	undef $pid;
	unlike(do { local (@ARGV, $/) = "$top/target/examples/$name/logs/error.log"; <> },
		qr/\[(?:alert|emerg|crit)\]/, "$name: content");
}

END {
	my $status = $?;
	kill 'KILL', -$pid if $pid;
	$? = $status;
}

sub body {
	my ($port, $path, @headers) = @_;
	my $s = $t->http(join("\r\n", "GET $path HTTP/1.0", 'Host: localhost',
		@headers, '', ''), port => $port);
	$s->end;
	return $s->body . $s->{in};
}

sub socket_of {
	my ($port, $path, %o) = @_;
	return $t->ws($path, port => $port, %o);
}

###############################################################################

my %at = example('echo-stack');
is(socket_of($at{8080}, '/ws')->text('hello')->message, 'text:hello', 'echo');
like(body($at{9145}, '/metrics'), qr/^ws_handshakes_total/m, 'metrics');
interrupt('echo-stack', %at);

%at = example('websocket-gateway');
is(socket_of($at{8080}, '/ws-notifications')->text('ping')->message =~ /^text:\{/,
	1, 'gateway');
interrupt('websocket-gateway', %at);

%at = example('channels');
my $s = socket_of($at{443}, '/ws/echo/', tls => 1,
	headers => ['Origin: http://localhost']);
is($s->text('hello')->message, 'text:hello', 'channels');
is(decode_json(body($at{80}, '/x'))->{path}, '/x', 'a request');
interrupt('channels', %at);

%at = example('api-gateway');
like(body($at{80}, '/x'), qr/301/, 'redirect');
is($t->http("GET /x HTTP/1.0\r\nHost: localhost\r\n\r\n", port => $at{80})
	->header('Location'), "https://localhost:$at{443}/x", 'to its own port');
is(socket_of($at{443}, '/ws/chat/a', tls => 1)->message =~ /^text:\{/, 1, 'chat');
is(socket_of($at{443}, '/api/ws/', tls => 1,
	headers => ['Sec-WebSocket-Protocol: v11.stomp'])
	->header('Sec-WebSocket-Protocol'), 'v11.stomp', 'STOMP');
interrupt('api-gateway', %at);

%at = example('rest-bridge');
my ($cookie) = $t->http("GET /login?user=alice HTTP/1.0\r\n\r\n",
	port => $at{8080})->header('Set-Cookie') =~ /^([^;]+)/;
my $rest = RestClient->open($t, '/ws', port => $at{8080},
	headers => ["Cookie: $cookie"]);
is($rest->call({id => 1, action => 'order.add', body => {item => 'tea'}})
	->{status}, 201, 'bridge');
interrupt('rest-bridge', %at);

# What is wrong is said.

for (['nothing', qr/there is no example "nothing"/],
	['', qr/there is no example ""/], ['-p', qr/needs a number/],
	['-p x echo-stack', qr/the port must be a number/])
{
	my ($arguments, $message) = @$_;
	my $output = qx{'$top/nginx-build/example' $arguments 2>&1};
	isnt($?, 0, "example $arguments");
	like($output, $message, 'and why');
}

alarm 0;
done_testing();

###############################################################################

#!/usr/bin/perl

# Tests for ws_status: what is counted, as JSON and for Prometheus.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Metrics;
use NginxWs;
use RestClient;
use Test::More;

###############################################################################

Example::setup();

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

ws_zone main 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /status {
        ws_status;
    }

    location = /echo {
        ws_echo;
        ws_origin same;
        ws_max_message 64k;
    }

    location = /idle {
        ws_echo;
        ws_idle_timeout 100ms;
    }

    location = /slow {
        ws_echo;
        ws_send_queue 1k;
        ws_max_message 8m;
        ws_send_timeout 300ms;
    }

    location = /delay {
        ws_echo;
        ws_message_rate 20r/s burst=1;
    }

    location = /close {
        ws_echo;
        ws_message_rate 1r/m close;
    }

    location = /rest {
        ws_rest /api/;
        ws_max_response 1k;
        ws_request_timeout 300ms;
    }

    location = /reject {
        ws_rest /api/;
        ws_message_rate 1r/m burst=1 reject;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

# The members of the zone that are not zero, as "messages.in.text" and so on.

sub flat {
	my ($value, $name) = @_;
	return map { flat($value->{$_}, defined $name ? "$name.$_" : $_) }
		keys %$value if ref $value eq 'HASH';
	return if ref $value || !$value;
	return ($name => $value);
}

# What has changed since the last time, when it is as wanted; the counters are
# written when a socket is closed or a request done, maybe after the client
# has seen it.

my %before;

sub changes {
	my ($name, %want) = @_;
	my (%now, %changed);

	$t->wait_for(sub {
		%now = flat(Metrics::json($t)->{main});
		%changed = map { $_ => ($now{$_} // 0) - ($before{$_} // 0) }
			grep { ($now{$_} // 0) != ($before{$_} // 0) }
			keys %{{%now, %before}};
		delete $changed{'rest.duration_ms.sum'};
		return join(' ', map { "$_ $changed{$_}" } sort keys %changed)
			eq join(' ', map { "$_ $want{$_}" } sort keys %want);
	}, 3);

	is_deeply(\%changed, \%want, $name) or diag(explain(\%changed));
	%before = %now;
}

sub upgrade { $t->http('/echo', @_)->status }

###############################################################################

is_deeply(Metrics::json($t), {main => {
	sockets => {active => 0, total => 0},
	handshakes => {map { $_ => 0 } 101, 400, 403, 405, 426, 500},
	messages => {in => {text => 0, binary => 0}, out => {text => 0, binary => 0}},
	bytes => {in => {text => 0, binary => 0}, out => {text => 0, binary => 0}},
	closed => {server => {}, client => {}},
	rest => {active => 0, (map { $_ => 0 } qw/2xx 3xx 4xx 5xx failed refused/),
		duration_ms => {count => 0, sum => 0, le => [map { [$_, 0] }
			1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000]}},
	limited => {delay => 0, reject => 0, close => 0},
	slow_readers => 0,
	draining_workers => 0,
}}, 'nothing yet');

# Handshakes.

upgrade(request => $_ . "\r\n") for
	"GET /echo HTTP/1.1\r\nHost: localhost\r\n",
	"GET /echo HTTP/1.0\r\nHost: localhost\r\n",
	"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n";
upgrade(key => 'short');
upgrade(headers => ['Origin: http://evil.example']);
changes('refused handshakes', 'handshakes.426' => 2, 'handshakes.405' => 1,
	'handshakes.400' => 1, 'handshakes.403' => 1);

# Messages.

my $s = $t->ws('/echo');
changes('an open socket', 'handshakes.101' => 1, 'sockets.active' => 1,
	'sockets.total' => 1);

$s->text('hello')->message;
$s->text('')->message;
$s->binary("\0" x 300)->message;
$s->text('one ', fin => 0);
$s->ping('x')->read;
$s->continuation('message')->message;
changes('messages: whole ones, without control frames',
	'messages.in.text' => 3, 'messages.out.text' => 3,
	'messages.in.binary' => 1, 'messages.out.binary' => 1,
	'bytes.in.text' => 16, 'bytes.out.text' => 16,
	'bytes.in.binary' => 300, 'bytes.out.binary' => 300);

# Ends, by who was first.

$t->closes($s->close(1000), 1000, 'closed');
changes('by the client', 'sockets.active' => -1, 'closed.client.1000' => 1);

my @ends = (
	['a code of its own', sub { $_[0]->close(4711)->end }, 'client.other'],
	['going away', sub { $_[0]->close(1001)->end }, 'client.1001'],
	['no code', sub { $_[0]->close->end }, 'client.1005'],
	['no Close', sub { $_[0]->hang_up }, 'client.1006'],
	['a reset', sub { $_[0]->reset }, 'client.1006'],
	['violation', sub { $_[0]->write("\x83\x80\0\0\0\0")->read_close }, 'server.1002'],
	['bad UTF-8', sub { $_[0]->text("\xff")->read_close }, 'server.1007'],
	['too big', sub { $_[0]->text('x' x 65537)->read_close }, 'server.1009'],
);

for (@ends) {
	my ($name, $do, $counter) = @$_;
	my $s = $t->ws('/echo');
	$do->($s);
	$s->hang_up;
	changes("end: $name", 'handshakes.101' => 1, 'sockets.total' => 1,
		"closed.$counter" => 1);
}

$s = $t->ws('/idle');
$s->read_close;
$s->close(1001)->end;
changes('end: idle', 'handshakes.101' => 1, 'sockets.total' => 1,
	'closed.server.1001' => 1);

# Clients that do not read.

$s = $t->ws('/slow', rcvbuf => 4096);
$s->stuff(WsFrame::encode(WsClient::BINARY, 'x' x (8 << 20)), 0.5);
$t->wait_for(sub { Metrics::json($t)->{main}{slow_readers} });
$s->hang_up;
changes('a slow reader', 'handshakes.101' => 1, 'sockets.total' => 1,
	'slow_readers' => 1, 'closed.server.1008' => 1,
	'messages.in.binary' => 1, 'bytes.in.binary' => 8 << 20,
	'messages.out.binary' => 1, 'bytes.out.binary' => 8 << 20);

# Limits.

$s = $t->ws('/delay');
$s->text($_) for 1 .. 4;
$s->message for 1 .. 4;
$s->close(1000)->end;
changes('delayed messages', 'handshakes.101' => 1, 'sockets.total' => 1,
	'closed.client.1000' => 1, 'limited.delay' => 2, 'messages.in.text' => 4,
	'messages.out.text' => 4, 'bytes.in.text' => 4, 'bytes.out.text' => 4);

$s = $t->ws('/close');
$s->text('a')->message;
$s->text('b')->read_close;
$s->hang_up;
changes('a socket closed for its rate', 'handshakes.101' => 1,
	'sockets.total' => 1, 'closed.server.1008' => 1, 'limited.close' => 1,
	'messages.in.text' => 2, 'messages.out.text' => 1, 'bytes.in.text' => 2,
	'bytes.out.text' => 1);

# Requests of messages.

$s = RestClient->open($t, '/rest');
changes('a socket of ws_rest', 'handshakes.101' => 1, 'sockets.active' => 1,
	'sockets.total' => 1);

sub call {
	my ($path, $counter) = @_;
	my $message = ref $path ? $$path : "{\"path\":\"$path\"}";
	my $reply = $s->send($message)->reply;
	changes("$counter: $message", 'messages.in.text' => 1,
		'messages.out.text' => 1, 'bytes.in.text' => length $message,
		'bytes.out.text' => length $reply, "rest.$counter" => 1,
		$counter eq 'refused' ? () : ('rest.duration_ms.count' => 1));
}

call('/api/x', '2xx');
call('/api/x?status=204', '2xx');
call('/api/x?status=302', '3xx');
call('/api/x?status=404', '4xx');
call('/api/x?status=500', '5xx');
call('/api/x?fault=drop', '5xx');
call('/api/x?delay=5000', 'failed');
call('/api/x?size=2000', 'failed');
call('/other', 'refused');
call(\'{', 'refused');
call(\'[]', 'refused');

$s->send('{"path":"/api/x?delay=250"}');
is(Metrics::wait($t, 'main', sub { $_[0]{rest}{active} })->{rest}{active}, 1,
	'a request under way');
$s->message;
is(Metrics::wait($t, 'main', sub { !$_[0]{rest}{active} })->{rest}{active}, 0,
	'and done');

my $latency = Metrics::json($t)->{main}{rest}{duration_ms};
my %le = map { @$_ } @{$latency->{le}};
cmp_ok($le{10000} - $le{100}, '>=', 2, 'slow requests are in their buckets');
cmp_ok($latency->{sum}, '>=', 550, 'and in the sum');
is($le{10000}, $latency->{count}, 'all are in the last');
%before = flat(Metrics::json($t)->{main});

$s->hang_up;
changes('gone', 'sockets.active' => -1, 'closed.client.1006' => 1);

# A client that leaves while its request is under way.

$s = RestClient->open($t, '/rest');
$s->send('{"path":"/api/x?delay=100000"}');
Metrics::wait($t, 'main', sub { $_[0]{rest}{active} });
$s->hang_up;
is(Metrics::wait($t, 'main', sub { !$_[0]{rest}{active} })->{rest}{active}, 0,
	'a request ends with its client');
%before = flat(Metrics::json($t)->{main});

$s = RestClient->open($t, '/reject');
is(join(' ', map { $s->status_of('/api/x') } 1 .. 4), '200 200 429 429',
	'a rate');
$s->hang_up;
my %now = flat(Metrics::wait($t, 'main', sub { !$_[0]{sockets}{active} }));
is($now{$_} - ($before{$_} // 0), 2, "$_ for a rate")
	for 'limited.reject', 'rest.refused', 'rest.2xx';

# Prometheus is told the same.

my $json = Metrics::json($t)->{main};
my $text = Metrics::get($t, '/status', 'Accept: text/plain')->body;
my $metrics = Metrics::parse($text);
my $values = $metrics->{values};

sub value {
	my ($name, %labels) = @_;
	return $values->{Metrics::name($name, %labels, zone => 'main')};
}

is(value('ws_sockets'), $json->{sockets}{active}, 'ws_sockets');
is(value('ws_rest_requests_active'), $json->{rest}{active}, 'ws_rest_requests_active');
is(value('ws_draining_workers'), 0, 'ws_draining_workers');
is(value('ws_slow_readers_total'), 1, 'ws_slow_readers_total');
is(value('ws_handshakes_total', status => $_), $json->{handshakes}{$_},
	"ws_handshakes_total $_") for keys %{$json->{handshakes}};
is(value('ws_rest_requests_total', status => $_), $json->{rest}{$_},
	"ws_rest_requests_total $_") for qw/2xx 3xx 4xx 5xx failed refused/;
is(value('ws_limited_messages_total', action => $_), $json->{limited}{$_},
	"ws_limited_messages_total $_") for keys %{$json->{limited}};

for my $way (qw/in out/) {
	for my $type (qw/text binary/) {
		is(value('ws_messages_total', direction => $way, type => $type),
			$json->{messages}{$way}{$type}, "ws_messages_total $way $type");
		is(value('ws_message_bytes_total', direction => $way, type => $type),
			$json->{bytes}{$way}{$type}, "ws_message_bytes_total $way $type");
	}
}

for my $side (qw/server client/) {
	is(value('ws_closed_total', side => $side, code => $_),
		$json->{closed}{$side}{$_} // 0, "ws_closed_total $side $_")
		for 1000 .. 1003, 1005 .. 1012, 'other';
}

my $duration = 'ws_rest_request_duration_seconds';
is(value("${duration}_bucket", le => $_->[0] / 1000), $_->[1],
	"$duration up to $_->[0] ms") for @{$json->{rest}{duration_ms}{le}};
is(value("${duration}_count"), $json->{rest}{duration_ms}{count},
	"$duration, count");
is(value("${duration}_sum"), $json->{rest}{duration_ms}{sum} / 1000,
	"$duration, sum");

# Every family once, with a type and a help, and nothing else.  For the parser
# a counter has the name without "_total".

is_deeply($metrics->{repeated}, [], 'no family twice');
is_deeply({$text =~ /^# TYPE (\S+) (\S+)$/mg}, {
	(map { $_ => 'gauge' } qw/ws_sockets ws_rest_requests_active
		ws_draining_workers/),
	(map { $_ => 'counter' } qw/ws_handshakes_total ws_messages_total
		ws_message_bytes_total ws_rest_requests_total
		ws_limited_messages_total ws_slow_readers_total ws_closed_total/),
	$duration => 'histogram'}, 'types');
is_deeply([$text =~ /^# HELP (\S+) .*\.$/mg], [$text =~ /^# TYPE (\S+)/mg],
	'helps');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: ws_inflight bounds the calls of a socket, and all are
# answered.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /three {
        ws_rest /api/;
        ws_inflight 3;
    }

    location /one {
        ws_rest /api/;
        ws_inflight 1;
    }

    location /default {
        ws_rest /api/;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/now {
        return 200;
    }
}

EOF

###############################################################################

# The most requests the backend had at once since it had seen $before lines.

sub most {
	my ($before) = @_;
	my ($now, $most) = (0, 0);
	my @seen = RestClient::seen($t);
	for (@seen[$before .. $#seen]) {
		$now += /^[A-Z]/ ? 1 : -1;
		$most = $now if $now > $most;
	}
	return $most;
}

sub path { '/api/?body=&delay=' . $_[0] }

for (['/one', 1], ['/three', 3], ['/default', 16]) {
	my ($path, $limit) = @$_;
	my $before = RestClient::seen($t);
	my $s = RestClient->open($t, $path);

	# All in one packet: what is behind the limit waits in the worker.

	$s->write(join '', map {
		WsFrame::encode(1, qq/{"id":$_,"path":"@{[path(40)]}"}/)
	} 1 .. 40);

	my @ids = map { $s->decoded->{id} } 1 .. 40;
	is(join(' ', sort { $a <=> $b } @ids), join(' ', 1 .. 40),
		"$path: all are answered, each once");
	my $most = most($before);
	cmp_ok($most, '<=', $limit, "$path: no more than $limit at a time");
	cmp_ok($most, '>=', $limit * 0.6, "$path: nor far fewer");
	is(join(' ', @ids), join(' ', 1 .. 40), "$path: one after the other")
		if $limit == 1;
}

# One by one, in pieces, and behind the handshake.

my $s = RestClient->open($t, '/one', more =>
	WsFrame::encode(1, qq/{"id":1,"path":"@{[path(50)]}"}/)
	. WsFrame::encode(1, '{"id":2,"path":"/api/now"}')
	. WsFrame::encode(1, '{"id":3,"path":"/api/now"}'));
is(join(' ', map { $s->decoded->{id} } 1 .. 3), '1 2 3',
	'behind the handshake');

$s->dribble(WsFrame::encode(1, qq/{"id":4,"path":"@{[path(100)]}"}/)
	. WsFrame::encode(1, '{"id":5,"path":"/api/now"}')
	. WsFrame::encode(1, '{"id":6,"path":"/api/now"}'));
is(join(' ', map { $s->decoded->{id} } 1 .. 3), '4 5 6', 'byte by byte');

# Large messages behind the limit stay in the kernel, whole in the end.

my $large = 'x' x 300_000;
$s->send({id => 7, path => path(200)});
$s->send({id => $_, path => '/api/', method => 'POST', body => $large})
	for 8 .. 12;
is($s->decoded->{id}, 7, 'a call before large ones');
is(join(' ', map { my $r = $s->decoded; "$r->{id}:$r->{body}{length}" } 1 .. 5),
	join(' ', map { "$_:300002" } 8 .. 12), 'large ones');

# A socket at its limit does not stop another.

$s->send({path => path(500)}) for 1 .. 3;
my $start = time;
is(RestClient->open($t, '/one')->status_of('/api/now'), 200, 'another socket');
cmp_ok(time - $start, '<', 0.3 * $NginxWs::slow, 'at once');

# Calls that fail at once take no place.

$s = RestClient->open($t, '/one');
$s->write(join '', map { WsFrame::encode(1, $_) } ('{') x 50,
	('{"path":"/else"}') x 50, '{"id":1,"path":"/api/now"}');
is(join(' ', map { $s->decoded->{status} } 1 .. 101),
	join(' ', (400) x 50, (404) x 50, 200), 'rejections');

# A close frame behind calls waits for its turn.

$s = RestClient->open($t, '/one');
$s->send({id => $_, path => path(50)}) for 1 .. 3;
$s->close(1000);
is($s->decoded->{id}, $_, "reply $_ before the close") for 1 .. 2;
is(join(' ', ($s->read_close)[0], $s->end), '1000 eof', 'the close');

# Thousands, with every reply where it belongs.

$s = RestClient->open($t, '/default');
my %missing = map { $_ => 1 } 1 .. 5000;
for my $batch (0 .. 9) {
	$s->write(join '', map {
		WsFrame::encode(1, qq!{"id":$_,"path":"/api/now?$_"}!)
	} $batch * 500 + 1 .. $batch * 500 + 500);
}
delete $missing{$s->decoded->{id}} for 1 .. 5000;
is(keys %missing, 0, '5000 calls');

for my $value (qw/0 -1 65536 x 1.5/, '""') {
	for my $name (qw/ws_inflight ws_worker_inflight/) {
		$t->rejects("$name $value", qr/^"$name" directive invalid number "/,
			"$name $value;");
	}
}
$t->rejects('ws_worker_inflight in a location',
	'"ws_worker_inflight" directive is not allowed here',
	'server { location / { ws_worker_inflight 1; } }');
$t->rejects("$_ twice", qq/"$_" directive is duplicate/, "$_ 1; $_ 1;")
	for qw/ws_inflight ws_worker_inflight/;

$t->finish;

###############################################################################

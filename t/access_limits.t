#!/usr/bin/perl

# Tests for WebSocket: limit_req and limit_conn guard the handshake.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

limit_req_zone $arg_key zone=req:1m rate=1r/m;
limit_req_zone $arg_key zone=slow:1m rate=4r/s;
limit_conn_zone $arg_key zone=conn:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location /req {
        ws_echo;
        limit_req zone=req burst=1 nodelay;
        limit_req_status 429;
    }

    location /delayed {
        ws_echo;
        limit_req zone=slow burst=1;
    }

    location /conn {
        ws_echo;
        limit_conn conn 2;
    }
}

EOF

###############################################################################

my @s = map { $t->http('/req?key=a') } 1 .. 3;
is(join(' ', map { $_->status } @s), '101 101 429', 'limit_req');
is($s[0]->text('x' x 10)->read, 'text:' . 'x' x 10, 'messages are not limited')
	for 1 .. 5;
is($t->http('/req?key=b')->status, 101, 'another key');

my $start = time;
is(join(' ', map { $t->http('/delayed?key=a')->status } 1 .. 2), '101 101',
	'limit_req with a delay');
cmp_ok(time - $start, '>=', 0.2, 'delays the handshake');
$t->ws('/delayed?key=b');
is($t->ws('/delayed?key=b', more => WsFrame::encode(1, 'early'))->read,
	'text:early', 'frame in the packet of a delayed handshake');

# Sockets count as long as they live.

my @c = map { $t->http('/conn?key=a') } 1 .. 3;
is(join(' ', map { $_->status } @c), '101 101 503', 'limit_conn');
is($t->http('/conn?key=b')->status, 101, 'another key');
is($t->http('/conn?key=a')->status, 503, 'still two');

my @ends = (
	['a close' => sub { $_[0]->close(1000)->end }],
	['a violation' => sub { $_[0]->write("\x83\x80")->end; $_[0]->hang_up }],
	['an end' => sub { $_[0]->hang_up }],
	['a reset' => sub { $_[0]->reset }],
);

for (@ends) {
	my ($name, $end) = @$_;
	$end->(shift @c);

	my $next;
	$t->wait_for(sub { ($next = $t->http('/conn?key=a'))->status == 101 });
	is($next->status, 101, "$name frees the place");
	@c = grep { $_->status == 101 } @c, $next;
}

like($t->error_log, qr/limiting requests/, 'limit_req in the log');
like($t->error_log, qr/limiting connections/, 'limit_conn in the log');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: what runs on behind an answer has the time of a call, and a
# number: the oldest is ended for the next.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /short { ws_rest /; ws_request_timeout 1s; }
    location = /few   { ws_rest /; ws_inflight 3; }

    location /mirrored/ {
        mirror /hang;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /followed/ {
        post_action /hang;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /cached/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%$request_uri;
        proxy_cache cache;
        proxy_cache_valid 1s;
        proxy_cache_use_stale updating;
        proxy_cache_background_update on;
        proxy_cache_key $uri;
    }

    location = /hang {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%/hang?fault=hang&for=$request_uri;
    }

    location = /now { return 200 now; }
}

EOF

###############################################################################

local $WsSocket::patience = 4;

# The numbers of hanging requests that the backend has, oldest first.

sub hanging {
	my @running;
	for (split /\n/, $t->read_file('backend.record')) {
		push @running, [$1, $2] if /^request (\d+) .*fault=hang(?:.*&n=(\d+))?$/;
		my $ended = /^(?:answered|aborted) (\d+)/ ? $1 : next;
		@running = grep { $_->[0] != $ended } @running;
	}
	return map { $_->[1] // 'update' } @running;
}

sub are_hanging {
	my ($expected, $name, $seconds) = @_;
	$t->wait_for(sub { join(' ', hanging()) eq $expected }, $seconds // 4);
	is(join(' ', hanging()), $expected, $name);
}

# Each is ended when its time is over, and no sooner.

my $s = RestClient->open($t, '/short');
is($s->get('/cached/?body=old')->{body}, 'old', 'into the cache');
sleep 2;

for (
	['mirror', '/mirrored/?body=answer&n=1', 'answer', '1'],
	['post_action', '/followed/?body=answer&n=2', 'answer', '2'],
	['cache update', '/cached/?fault=hang', 'old', 'update'],
) {
	my ($kind, $path, $body, $hanging) = @$_;
	my $start = time;
	is($s->get($path)->{body} // 'no reply', $body, "$kind: the answer");
	are_hanging($hanging, "$kind: something runs on");
	are_hanging('', "$kind: but not for ever");
	cmp_ok(time - $start, '>=', 0.9, "$kind: it has its time");
	is($s->get('/now')->{body} // 'no reply', 'now', "$kind: the socket stays");
}

# Also of a client that left.

$s->get('/mirrored/?body=answer&n=3');
are_hanging('3', 'a client that leaves');
$s->hang_up;
are_hanging('', 'leaves nothing behind');

# More of them than ws_inflight: the oldest are ended, calls go on.

$s = RestClient->open($t, '/few');
for my $n (1 .. 8) {
	my $reply = $s->call({id => $n, path => "/mirrored/?body=&n=$n"});
	is($reply->{id} // $reply->{status}, $n, "call $n");
	$t->wait_for(sub { grep { $_ eq $n } hanging() }, 4);
	last unless $reply->{id};
}
ok($t->wait_for(sub { hanging() <= 3 }, 4), 'no more than ws_inflight run on');
is((hanging())[-1] // 'none', 8, 'the youngest among them');
is((grep { $_ <= 4 } hanging()), 0, 'the oldest are ended');
is($s->get('/now')->{body} // 'no reply', 'now', 'calls go on');
is(join(' ', $s->close(1000)->read, $s->end(1)), 'close:1000 eof', 'to the end');

$t->finish;

###############################################################################

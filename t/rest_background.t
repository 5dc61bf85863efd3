#!/usr/bin/perl

# Tests for ws_rest: a reply does not wait for what nginx does after the
# response.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/sleep time/;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_inflight 2;
        ws_response_headers x-cache;
    }

    location /strict {
        ws_rest /;
        ws_order strict;
    }

    location /mirrored/ {
        mirror /slow;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /mirrored-static/ {
        mirror /slow;
        alias %%TESTDIR%%/;
    }

    location /followed/ {
        post_action /slow;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location = /slow {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%/slow?body=slow&delay=600&rest=;
    }

    location /cached/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_cache cache;
        proxy_cache_valid 1s;
        proxy_cache_use_stale updating;
        proxy_cache_background_update on;
        proxy_cache_key $uri;
        add_header X-Cache $upstream_cache_status;
    }
}

EOF

$t->write_file('file', 'static');

###############################################################################

my $s = RestClient->open($t);

sub at_once {
	my ($name, $call, $expected) = @_;
	my $start = time;
	is($s->call($call)->{body}, $expected, $name);
	cmp_ok(time - $start, '<', 0.4 * $NginxWs::slow, "$name: at once");
}

my $slow = 0;

for (
	['mirror', {path => '/mirrored/?body=answer'}, 'answer'],
	['mirror of a file', {path => '/mirrored-static/file'}, 'static'],
	['post_action', {path => '/followed/?body=answer'}, 'answer'],
) {
	at_once(@$_);
	ok(RestClient::wait_seen($t, qr!^GET /slow!, ++$slow),
		"$_->[0]: the other request");
	ok($t->wait_for(sub {
		my @seen = RestClient::seen($t);
		return (grep { /^[A-Z]/ } @seen) == grep { /^a/ } @seen;
	}), "$_->[0]: which ends");
}

# Stale from the cache, while a new response is fetched.

at_once('cache: miss', {path => '/cached/?body=old'}, 'old');
sleep 2.1;
my $start = time;
my $reply = $s->get('/cached/?body=new&delay=600');
is("$reply->{body} $reply->{headers}{'x-cache'}", 'old STALE', 'cache: stale');
cmp_ok(time - $start, '<', 0.4 * $NginxWs::slow, 'cache: at once');
$reply = $t->wait_for(sub {
	my $r = $s->get('/cached/?body=new&delay=600');
	$r->{body} eq 'new' && $r;
}, 3);
is($reply && $reply->{headers}{'x-cache'}, 'HIT', 'cache: then the new one');

# Work behind the response still counts: it is bounded, and ended.

$s->send({id => $_, path => '/mirrored/?body='}) for 1 .. 4;
is(join(' ', sort map { $s->decoded->{id} } 1 .. 4), '1 2 3 4', 'at the limit');

$s = RestClient->open($t);
$s->send({id => 1, path => '/mirrored/?body='});
is($s->decoded->{id}, 1, 'a reply');
is($s->close(1000)->read, 'close:1000', 'the close');
is($s->end(0.4), 'eof', 'and the end');
is(RestClient->open($t)->status_of('/mirrored-static/file'), 200, 'and on');

$t->finish;

###############################################################################

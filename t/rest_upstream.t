#!/usr/bin/perl

# Tests for ws_rest: keepalive and proxy_cache serve messages.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;
log_format call "$uri $upstream_cache_status $upstream_status $upstream_addr";
access_log %%TESTDIR%%/access.log call;

upstream kept {
    server 127.0.0.1:%%PORT_backend%%;
    keepalive 8;
}

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_response_headers x-cache age content-type;
    }

    location /kept/ {
        proxy_pass http://kept;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }

    location /cached/ {
        proxy_pass http://kept;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_cache cache;
        proxy_cache_valid 1m;
        add_header X-Cache $upstream_cache_status;
    }

    location /locked/ {
        proxy_pass http://kept;
        proxy_cache cache;
        proxy_cache_valid 1m;
        proxy_cache_lock on;
        add_header X-Cache $upstream_cache_status;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);

# One connection to the backend for many messages, of several sockets.

is($s->status_of('/kept/?size=100'), 200, "message $_") for 1 .. 20;
is($s->call({method => 'POST', path => '/kept/', body => {}})->{status}, 200,
	'POST');
is($s->call({method => 'HEAD', path => '/kept/?size=5'})->{status}, 200, 'HEAD');
is($s->status_of('/kept/?status=204'), 204, 'no content');
is($s->status_of('/kept/?size=50000&framing=chunked'), 200, 'chunked');
is(RestClient->open($t)->status_of('/kept/?body='), 200, 'another socket');
is(RestClient::connections($t), 1, 'over one connection');

# A connection is not used again after a failure.

is($s->status_of('/kept/?size=10&cut=5'), 502, 'half an answer');
is($s->status_of('/kept/?size=100'), 200, 'a message after it');
is(RestClient::connections($t), 2, 'over another connection');

# The cache.

my @replies = map { $s->raw({id => $_, path => '/cached/?size=70000'}) } 1 .. 3;
like($replies[0], qr/"x-cache":"MISS"/, 'miss');
like($replies[$_], qr/^\{"id":@{[$_ + 1]},"status":200.*"x-cache":"HIT"/, 'hit')
	for 1, 2;
is($replies[2] =~ s/"id":3|HIT//gr, $replies[0] =~ s/"id":1|MISS//gr,
	'the same but for that');
is((grep { m!/cached/! } RestClient::seen($t)), 1, 'asked once');
is($s->call({method => 'HEAD', path => '/cached/?size=70000'})
	->{headers}{'x-cache'}, 'HIT', 'HEAD from the cache');
is(RestClient->open($t)->get('/cached/?size=70000')->{headers}{'x-cache'},
	'HIT', 'for another socket');

# Many that want the same at once.

my @s = map { RestClient->open($t) } 1 .. 5;
for my $s (@s) {
	$s->send({id => $_, path => '/locked/?body=x&delay=100'}) for 1 .. 5;
}
my %seen;
for my $s (@s) {
	$seen{$_->{headers}{'x-cache'} . " $_->{body}"}++
		for map { $s->decoded } 1 .. 5;
}
is_deeply(\%seen, {'MISS x' => 1, 'HIT x' => 24}, 'proxy_cache_lock');
is((grep { m!/locked/! } RestClient::seen($t)), 1, 'asked once');

# What was cut off is not kept.

is($s->status_of('/cached/?size=100&cut=50'), 502, 'half an answer')
	for 1 .. 2;
is((grep { m!/cached/.*cut! } RestClient::seen($t)), 2, 'asked twice');

my $address = '127.0.0.1:' . $t->port('backend');
is((grep { $_ eq "/cached/ MISS 200 $address" } $t->access_log), 3,
	'$upstream_cache_status, misses');
is((grep { $_ eq '/cached/ HIT - -' } $t->access_log), 4, 'hits');

$t->finish;

###############################################################################

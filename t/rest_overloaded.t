#!/usr/bin/perl

# Tests for ws_rest: without free connections a reply says so, and the socket
# stays.

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

$t->run(<<'EOF', events => 'worker_connections 40;');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_inflight 100;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /static {
        return 200 static;
    }
}

EOF

# nginx's own words.
$t->expect(qr/worker_connections are not enough/);

###############################################################################

my $overloaded = '"status":503,"error":"overloaded",'
	. '"message":"the worker has no capacity left"}';

my $s = RestClient->open($t);
my $other = RestClient->open($t);

$s->send({id => $_, path => '/api/?body=&delay=700'}) for 1 .. 60;

# Each call takes two connections: its own and that to the backend.

my %status;
$s->{id}{$_->{id}} = $status{"$_->{status} " . ($_->{error} // '')}++
	for map { $s->decoded } 1 .. 60;
is(keys %{$s->{id}}, 60, 'every call is answered');
cmp_ok($status{'503 overloaded'} // 0, '>', 20, 'some are refused');
cmp_ok($status{'200 '} // 0, '>', 5, 'others are served');
is(join(', ', grep { !/^(?:503 overloaded|200 |500 )$/ } keys %status), '',
	'nothing else') or diag(explain(\%status));

# No connection at all.

$s->send({id => $_, path => '/api/?body=&delay=500'}) for 1 .. 60;
$t->wait_for(sub { $s->pump(sub { $s->{in} =~ /overloaded/ }, timeout => 1) });
is($other->raw('{"id":"x","path":"/static"}'), qq/{"id":"x",$overloaded/,
	'another socket at that time');
is($other->raw('{'), '{"id":null,"status":400,"error":"bad_json",'
	. '"message":"the message is not JSON"}', 'which still answers');
is($other->ping('x')->read, 'pong:x', 'and lives');
$s->reply for 1 .. 60;

# All is free again.

for my $socket ($s, $other) {
	is(join(' ', map { $socket->status_of('/static') } 1 .. 20),
		join(' ', (200) x 20), 'afterwards');
	is(join(' ', map { $socket->status_of('/api/?body=') } 1 .. 20),
		join(' ', (200) x 20), 'afterwards, with the backend');
}

my @s = map { RestClient->open($t) } 1 .. 20;
is((grep { $_->status_of('/static') != 200 } @s), 0, 'for new sockets as well');

$t->finish;

###############################################################################

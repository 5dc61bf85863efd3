#!/usr/bin/perl

# Tests for ws_rest: names of backends that cannot be resolved.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::IP;
use JSON::PP;
use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);
my $dns = name_server($t->port('dns'));

$t->run(<<'EOF');

ws_zone counts 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
    }

    location /short {
        ws_rest /api/;
        ws_request_timeout 200ms;
    }

    # Names such as good, which no name server can know longer than a moment.
    location ~ ^/api/(?<name>\w+)$ {
        resolver 127.0.0.1:%%PORT_dns%% ipv6=off valid=1s;
        resolver_timeout 500ms;
        proxy_pass http://$name.test:%%PORT_backend%%;
    }

    # Nobody is at this address.
    location ~ ^/api/deaf/(?<name>\w+)$ {
        resolver 127.0.0.1:%%PORT_nobody%% ipv6=off;
        resolver_timeout 500ms;
        proxy_pass http://$name.test:%%PORT_backend%%;
    }

    location = /api/unset/ {
        set $backend some.test;
        proxy_pass http://$backend;
    }

    location /status {
        ws_status json;
    }
}

EOF

###############################################################################

# A name server: good is 127.0.0.1, refused and missing are errors, and of all
# others it does not speak.

sub name_server {
	my ($port) = @_;

	my $socket = IO::Socket::IP->new(Proto => 'udp', Type => SOCK_DGRAM,
		LocalHost => '127.0.0.1', LocalPort => $port) or die "udp: $!\n";
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;

	$SIG{TERM} = 'DEFAULT';
	while (defined $socket->recv(my $query, 512)) {
		my ($name) = $query =~ /^.{12}.([a-z0-9]+)\x04test\0/s or next;
		my $code = {missing => 3, refused => 5, broken => 2, good => 0}->{$name};
		next unless defined $code;

		my $answer = $code ? '' : "\xc0\x0c" . pack 'nnNnC4', 1, 1, 1, 4, 127, 0, 0, 1;
		my ($id) = unpack 'n', $query;
		my ($question) = $query =~ /^.{12}(.[a-z0-9]+\x04test\0.{4})/s;
		$socket->send(pack('nnnnnn', $id, 0x8180 | $code, 1, $code ? 0 : 1, 0, 0)
			. $question . $answer);
	}
	POSIX::_exit(0);
}

END {
	my $status = $?;
	if ($dns) {
		kill 'TERM', $dns;
		waitpid $dns, 0;
	}
	$? = $status;
}

sub active {
	my $s = $t->http("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
	return decode_json($s->body)->{counts}{rest}{active};
}

###############################################################################

my ($worker) = $t->workers;
my $s = RestClient->open($t);
is($s->status_of('/api/good?body=x'), 200, 'a name that is found');

for my $name (qw/missing refused broken/) {
	is($s->status_of("/api/$name"), 502, "$name");
	like($t->error_log, qr/$name\.test could not be resolved \(\d+: /,
		"$name in the log");
}

my $start = time;
is($s->status_of('/api/silent'), 502, 'no answer');
cmp_ok(time - $start, '>=', 0.4, 'after resolver_timeout');
cmp_ok(time - $start, '<', 3 * $NginxWs::slow, 'and not much later');
like($t->error_log, qr/silent\.test could not be resolved \(110: /,
	'which the log says');
is($s->status_of('/api/deaf/name'), 502, 'no name server');
is($s->status_of('/api/unset/'), 502, 'no resolver');

# Calls that wait for a name hold up neither others nor the socket.

$s->send({id => "n$_", path => "/api/silent$_"}) for 1 .. 5;
$s->send({id => 'same', path => '/api/silent1'});
is($s->call({id => 'good', path => '/api/good?body=x'})->{id}, 'good',
	'a call meanwhile');
$s->ping('x');
is($s->read, 'pong:x', 'a ping meanwhile');
is(join(' ', sort map { my $r = $s->decoded; "$r->{id}:$r->{status}" } 1 .. 6),
	'n1:502 n2:502 n3:502 n4:502 n5:502 same:502', 'each gets its reply');
is($s->status_of('/api/good?body=x'), 200, 'the socket stays');

# Our time is up before the resolver's.

my $short = RestClient->open($t, '/short');
my $reply = $short->get('/api/silent9');
is("$reply->{status} $reply->{error}", '504 timeout', 'ws_request_timeout');
is($short->status_of('/api/good?body=x'), 200, 'the socket stays');

# A client that leaves while a name is looked up.

for my $end (sub { $_[0]->hang_up }, sub { $_[0]->reset },
	sub { $_[0]->close(1000) }, sub { $_[0]->write("\x83\x80") })
{
	my $gone = RestClient->open($t);
	$gone->send({id => $_, path => "/api/gone$_"}) for 1 .. 5;
	$t->wait_for(sub { active() == 5 }) or fail('calls under way');
	$end->($gone);
	ok($t->wait_for(sub { active() == 0 }, 3), 'its calls end with it');
}

# A reload while names are looked up: the replies first.

$s->send({id => 'last', path => '/api/silentlast'});
$t->wait_for(sub { active() == 1 });
my ($old) = $t->reload;
is($s->decoded->{status}, 502, 'the reply after a reload');
is(($s->read_close)[0], 1001, 'then the close') if $s->close(1001);
$short->hang_up;
ok($t->gone($old, 15), 'the old worker leaves');
is($old, $worker, 'it was the first');
is(RestClient->open($t)->status_of('/api/good?body=x'), 200, 'the new one');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: workers that are killed, their clients and counters.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

# Room for fewer slots than workers die below.
ws_zone counts 32k;
ws_message_zone $arg_key zone=quota:64k rate=1r/m;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_zone counts;
    }

    location /rest {
        ws_rest /api/;
        ws_zone counts;
    }

    location /quota {
        ws_rest /api/;
        ws_message_limit zone=quota burst=2;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /status {
        ws_status json;
    }
}

EOF

###############################################################################

use constant KILLS => 40;

sub counts {
	my $s = $t->http("GET /status HTTP/1.1\r\nHost: localhost\r\n"
		. "Connection: close\r\n\r\n");
	return decode_json($s->body)->{counts};
}

# Counters that have been written down; without gauges.

sub totals {
	my ($c) = @_;
	return {total => $c->{sockets}{total}, messages => $c->{messages},
		bytes => $c->{bytes}, closed => $c->{closed},
		rest => $c->{rest}{'2xx'}};
}

# Kills the worker; true once there is another.

sub kill_worker {
	my ($pid) = $t->workers;
	kill 'KILL', $pid or die "kill: $!\n";
	$t->wait_for(sub { my @w = $t->workers; @w == 1 && $w[0] != $pid })
		or die "no new worker\n";
	return $pid;
}

###############################################################################

my @echo = map { $t->ws('/ws') } 1 .. 5;
my @rest = map { RestClient->open($t, '/rest') } 1 .. 5;

$_->text('hello')->read for @echo;
$echo[0]->binary('x' x 1000)->read;
is($_->status_of('/api/first?body='), 200, 'a call') for @rest;

# A socket that was closed, one in the middle of a message, calls in flight.

$t->closes($t->ws('/ws')->close(1000), 1000, 'a closed socket');
$echo[1]->text('half', fin => 0);
$_->send({id => 2, path => '/api/hang?fault=hang'}) for @rest;
RestClient::wait_seen($t, 'GET /api/hang?fault=hang', 5);

my $quota = RestClient->open($t, '/quota?key=a');
my @answers = map { $quota->status_of('/api/x?body=') } 1 .. 4;
is("@answers", '200 200 200 429', 'a quota is used up');

$t->wait_for(sub { counts()->{closed}{client}{1000} });
my $before = counts();
is("$before->{sockets}{active} $before->{rest}{active}", '11 5',
	'gauges before');
is($before->{messages}{in}{text}, 19, 'messages before');

my @killed = kill_worker();

like(join(' ', map { $_->end } @echo, @rest, $quota),
	qr/^(?:(?:eof|reset) ?){11}$/, 'the clients see the end');
ok(RestClient::wait_seen($t, 'aborted', 5), 'the backend sees it');

# Counters survive, gauges end with the process.

my $after = counts();
is_deeply(totals($after), totals($before), 'counters survive');
is("$after->{sockets}{active} $after->{rest}{active}", '0 0',
	'gauges are those of live workers');

# The quota survives, too.

is(RestClient->open($t, '/quota?key=a')->status_of('/api/x?body='), 429,
	'the quota is still used up');
is(RestClient->open($t, '/quota?key=b')->status_of('/api/x?body='), 200,
	'that of others is not');

# Clients come back.

@echo = map { $t->ws('/ws') } 1 .. 5;
@rest = map { RestClient->open($t, '/rest') } 1 .. 5;
is($_->text('again')->read, 'text:again', 'a new socket echoes') for @echo;
is($_->status_of('/api/again?body='), 200, 'a new call') for @rest;

$after = counts();
is($after->{sockets}{active}, 10, 'new sockets in the gauge');
is($after->{sockets}{total}, $before->{sockets}{total} + 12,
	'and, with two for the quota, in the counter');
is($after->{messages}{in}{text}, 19 + 12,
	'new messages on top of the old ones');
is($after->{rest}{'2xx'}, 8 + 6, 'new calls on top of the old ones');

# Again and again: dead workers leave their slots of the zone to new ones.

my $echoed = 0;
for (2 .. KILLS) {
	push @killed, kill_worker();
	$echoed += $t->ws('/ws')->text('again')->read eq 'text:again';
}

is($echoed, KILLS - 1, 'echoes of all the new workers');
push @killed, kill_worker();
$after = counts();
is($after->{sockets}{active}, 0, 'no socket is left');
is($after->{messages}{in}{text}, 31 + KILLS - 1, 'no message is lost');
is($after->{sockets}{total}, $before->{sockets}{total} + 12 + KILLS - 1,
	'nor a socket');
is(RestClient->open($t, '/quota?key=a')->status_of('/api/x?body='), 429,
	'nor the quota');

###############################################################################

# What finish() looks for, without the kills.

ok($t->stop, 'nginx stops');
alarm 0;
is($t->{status}, 0, 'nginx exits with 0');

my @alerts = $t->error_log =~ /\[(?:alert|emerg)\] \d+#\d+: (.*)$/mg;
is_deeply(\@alerts, [map { "worker process $_ exited on signal 9" } @killed],
	'an alert for each kill, and no other');
unlike($t->error_log . $t->read_file('stderr.log'),
	qr/panicked at|Sanitizer|ERROR SUMMARY: [1-9]/, 'no crashes');

done_testing();

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: sockets that take all of worker_connections.

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

$t->run(<<'EOF', events => 'worker_connections 64;');

ws_zone counts 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_ping_interval 200ms;
    }

    location /rest {
        ws_rest /api/;
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

# A socket, or nothing where nginx closes the connection.

sub try {
	my ($path) = @_;
	my $s = eval { $t->ws($path) };
	$@ =~ /^$|no response, (?:eof|reset)/ or die $@;
	return $s;
}

my ($worker) = $t->workers;
my @rest = map { RestClient->open($t, '/rest') } 1 .. 3;
my @echo;

while (my $s = try('/ws')) {
	push @echo, $s;
	die "no end of connections\n" if @echo > 64;
}

cmp_ok(@echo, '>', 50, 'sockets until there are no connections');
diag(scalar(@echo) + @rest, ' sockets of 64 connections');
like($t->error_log, qr/64 worker_connections are not enough/, 'the log says so');

# Old ones go on, however often new ones knock.

for my $round (1 .. 5) {
	is((grep { try('/ws') } 1 .. 20), 0, 'new ones are turned away');
	is((grep { $_->text("round $round")->message ne "text:round $round" }
		@echo), 0, 'all old ones echo');
}

for my $s (@rest) {
	my $reply = $s->get('/api/x?body=');
	is("$reply->{status} $reply->{error}", '503 overloaded',
		'a call finds no connection');
	$s->ping('x');
	is($s->read, 'pong:x', 'its socket stays');
}

# A place for the virtual connection, none for that to the backend.

$echo[0]->close(1000)->end;
shift @echo;
my $reply = $t->wait_for(sub {
	my $r = $rest[0]->get('/api/x?body=');
	($r->{error} // '') ne 'overloaded' && $r;
});
like($reply->{status}, qr/^50[0-9]$/, 'a call without a connection to a backend');
diag("without a backend connection: ", encode_json($reply));
$rest[0]->ping('y');
is($rest[0]->read, 'pong:y', 'its socket stays');

# It recovers.

for my $s (splice @echo, 0, 10) {
	$s->close(1000);
	$s->end;
}

my @new = map { $t->wait_for(sub { try('/ws') }) } 1 .. 5;
is((grep { $_->text('new')->message ne 'text:new' } @new), 0,
	'new ones come in');
is($_->status_of('/api/x?body='), 200, 'calls are served again') for @rest;
is((grep { $_->text('old')->message ne 'text:old' } @echo), 0,
	'the old ones are all there');

my $s = $t->http("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
my $counts = decode_json($s->body)->{counts};
is($counts->{sockets}{active}, @echo + @new + @rest, 'and counted');
is($counts->{rest}{active}, 0, 'no call hangs');
is(join(' ', $t->workers), $worker, 'in the first worker');

# All leave, all places are free again: as many fit as at first.

$_->close(1000)->end for @echo, @new;
my $all = @echo + @new + 11 - 5;
my @again;
$t->wait_for(sub {
	while (my $s = try('/ws')) { push @again, $s }
	return @again >= $all;
}, 3);
cmp_ok(@again, '>=', $all - 1, 'as many as before');
is((grep { $_->text('again')->message ne 'text:again' } @again), 0,
	'which echo');

$t->expect(qr/64 worker_connections are not enough(?: while|$)/);
$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: directives pass from http to server to location.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $directives = {
	http => 'ws_max_message 10; ws_max_fragments 1; ws_origin http.example;'
		. ' ws_subprotocol http; ws_idle_timeout 300ms;',
	server => 'ws_max_message 20; ws_max_fragments 2; ws_origin server.example;'
		. ' ws_subprotocol server; ws_idle_timeout 1100ms;',
	location => 'ws_max_message 30; ws_max_fragments 3;'
		. ' ws_origin location.example; ws_subprotocol location;'
		. ' ws_idle_timeout 1900ms;',
};

my $t = NginxWs->new->run(<<"EOF");

$directives->{http}

server {
    listen 127.0.0.1:%%PORT%%;

    location /http { ws_echo; }
}

server {
    listen 127.0.0.1:%%PORT_2%%;
    $directives->{server}

    location /server {
        ws_echo;

        if (\$arg_if) {
            set \$x y;
        }
    }

    location /location {
        $directives->{location}
        ws_echo;

        location /location/inner { ws_echo; }
    }
}

EOF

###############################################################################

# Path, port, and the level whose values are in force.

my @cases = (
	['/http', $t->port, 'http', 10, 1, 0.3],
	['/server', $t->port('2'), 'server', 20, 2, 1.1],
	['/server?if=1', $t->port('2'), 'server', 20, 2, 1.1],
	['/location', $t->port('2'), 'location', 30, 3, 1.9],
	['/location/inner', $t->port('2'), 'location', 30, 3, 1.9],
);

# All of them wait for their idle timeouts at the same time.

my $start = time;
my @idle = map { $t->ws($_->[0], port => $_->[1]) } @cases;

for my $i (0 .. $#cases) {
	my ($path, $timeout) = @{$cases[$i]}[0, 5];
	my ($code) = $idle[$i]->read_close;
	my $took = time - $start;

	is($code, 1001, "$path: idle timeout");
	cmp_ok($took, '>=', $timeout - 0.01, "$path: not before ws_idle_timeout");
	cmp_ok($took, '<', $timeout + 0.7 * $NginxWs::slow,
		"$path: not long after ws_idle_timeout");
}

# The others are seen at once.

for my $case (@cases) {
	my ($path, $port, $level, $message, $fragments) = @$case;
	my @to = ($path, port => $port);

	is($t->ws(@to)->text('x' x $message)->read, 'text:' . 'x' x $message,
		"$path: message within ws_max_message");
	$t->closes($t->ws(@to)->text('', length => $message + 1), 1009,
		"$path: message above ws_max_message");

	my $s = $t->ws(@to);
	$s->text('a', fin => 0);
	$s->continuation('b', fin => 0) for 2 .. $fragments;
	$t->closes($s->continuation('c', fin => 0), 1008,
		"$path: ws_max_fragments");

	is($t->http(@to, headers => ["Origin: http://$level.example"])->status, 101,
		"$path: ws_origin");
	is($t->http(@to, headers => ['Origin: http://other.example'])->status, 403,
		"$path: another origin");

	is($t->ws(@to, headers => [map { "Sec-WebSocket-Protocol: $_" }
			qw/http server location/])->header('Sec-WebSocket-Protocol'),
		$level, "$path: ws_subprotocol");
}

$t->finish;

###############################################################################

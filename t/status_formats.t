#!/usr/bin/perl

# Tests for ws_status: formats, methods, and who may see it.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Metrics;
use NginxWs;
use Test::More;

###############################################################################

Example::setup();

my $t = NginxWs->new->run(<<'EOF');

ws_zone one 64k;
ws_zone two 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /any { ws_status; }
    location = /json { ws_status json; }
    location = /prometheus { ws_status prometheus; }
    location = /one { ws_status one; }
    location = /one-json { ws_status one json; }
    location = /prometheus-two { ws_status prometheus two; }

    location = /closed {
        ws_status;
        deny all;
    }

    location = /secret {
        ws_status;
        auth_basic realm;
        auth_basic_user_file %%TESTDIR%%/users;
    }

    location /echo {
        ws_echo;
        ws_zone one;
    }

    # Below a directory, and behind a redirect.
    location /dir/ { ws_status json; }
    location = /inner { try_files /nowhere /json; }

    gzip on;
    gzip_min_length 1;
    gzip_types application/json text/plain;
}

EOF

$t->write_file('users', "u:{PLAIN}p\n");

# "json one two" or "prometheus one": what a response is, by its content.

sub kind {
	my ($response) = @_;
	return $response->status if $response->status ne '200';

	my $type = $response->header('Content-Type');
	my $body = $response->body;

	if ($type eq 'application/json') {
		return join ' ', 'json', sort keys %{decode_json($body)};
	}

	if ($type eq 'text/plain; version=0.0.4; charset=utf-8') {
		my %zones = map { $_->{labels}{zone} => 1 }
			@{Metrics::parse($body)->{samples}};
		return join ' ', 'prometheus', sort keys %zones;
	}

	return "type $type";
}

sub accepting {
	my ($accept, $path) = @_;
	return kind(Metrics::get($t, $path // '/any',
		defined $accept ? "Accept: $accept" : ()));
}

###############################################################################

# What clients really send.

my $prometheus = 'application/openmetrics-text;version=1.0.0;'
	. 'escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,'
	. 'text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
my $browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,'
	. 'image/avif,image/webp,*/*;q=0.8';

is(accepting(undef), 'json one two', 'no Accept');
is(accepting('*/*'), 'json one two', 'curl');
is(accepting($browser), 'json one two', 'a browser');
is(accepting('application/json'), 'json one two', 'JSON');
is(accepting($prometheus), 'prometheus one two', 'Prometheus');
is(accepting('text/plain'), 'prometheus one two', 'text');
is(accepting('text/plain; version=0.0.4; charset=utf-8'), 'prometheus one two',
	'text of a version');
is(accepting('TEXT/PLAIN'), 'prometheus one two', 'in capitals');
is(accepting('application/json, text/plain, */*'), 'json one two',
	"a library that likes JSON better, as browsers' axios does");
is(accepting('text/plain;q=0, */*'), 'json one two', 'text refused');

# A parameter decides alone.

is(accepting($_, '/json'), 'json one two', 'json')
	for '*/*', $prometheus;
is(accepting($_, '/prometheus'), 'prometheus one two', 'prometheus')
	for '*/*', 'application/json';

# One zone.

is(accepting($_, '/one'), ($_ eq '*/*' ? 'json' : 'prometheus') . ' one',
	"one zone, $_") for '*/*', 'text/plain';
is(accepting('text/plain', '/one-json'), 'json one', 'as JSON');
is(accepting('*/*', '/prometheus-two'), 'prometheus two',
	'for Prometheus, the other way round');

# Locations.

is(accepting('*/*', '/dir/x'), 'json one two', 'a prefix');
is(accepting('*/*', '/inner'), 'json one two', 'an internal redirect');
is(accepting('*/*', '/any?x=y'), 'json one two', 'a query');
is(accepting('*/*', '/closed'), 403, 'deny');
is(accepting('*/*', '/secret'), 401, 'auth_basic');
is(kind(Metrics::get($t, '/secret', 'Authorization: Basic dTpw')),
	'json one two', 'with the password');

# Methods.

for my $path ('/json', '/prometheus') {
	my $get = Metrics::get($t, $path);
	is($get->header('Cache-Control'), 'no-store', "$path is not kept");
	is($get->header('Content-Length'), length $get->body, "$path has a length");

	my $s = WsClient->new(port => $t->port);
	$s->write("HEAD $path HTTP/1.1\r\nHost: localhost\r\n"
		. "Connection: close\r\n\r\n")->end;
	my ($line, $rest) = $s->{in} =~ /^(\S+ \S+).*?\r\n\r\n(.*)/s;
	is("$line$rest", 'HTTP/1.1 200', "HEAD $path has no body");
	like($s->{in}, qr/^Content-Length: @{[length $get->body]}\r/m,
		'but its length');

	for my $method (qw/POST PUT DELETE PATCH OPTIONS/) {
		my $response = $t->http("$method $path HTTP/1.1\r\nHost: localhost\r\n"
			. "Content-Length: 4\r\n\r\nbody");
		is($response->status, 405, "$method $path");
	}
}

# One connection, many requests; with a body too.

my $s = WsClient->new(port => $t->port);
for (1 .. 3) {
	$s->handshake(request => "GET /json HTTP/1.1\r\nHost: localhost\r\n"
		. "Content-Length: 3\r\n\r\nabc");
	is(kind($s), 'json one two', "request $_ of a connection");
}

is(Metrics::get($t, '/json', 'Accept-Encoding: gzip')
	->header('Content-Encoding'), 'gzip', 'gzip');
is($t->http('/json')->status, 200, 'an upgrade is ignored');

# In HTTP/1.0 as well.

is(kind($t->http("GET /prometheus HTTP/1.0\r\n\r\n")), 'prometheus one two',
	'HTTP/1.0');

$t->finish;

###############################################################################

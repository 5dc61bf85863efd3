#!/usr/bin/perl

# Tests for ws_rest: ws_rest and ws_route in the wrong place or company.

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

###############################################################################

sub location { "server { location /x { $_[0] } }" }

# Another content handler, in either order.

my $conflict = 'directive conflicts with another content handler of this'
	. ' location';

for my $ours ('ws_rest /api/;', 'ws_route a GET /api/;') {
	my ($name) = $ours =~ /^(\w+)/;

	for my $other ('proxy_pass http://127.0.0.1:1;',
		'fastcgi_pass 127.0.0.1:1;', 'uwsgi_pass 127.0.0.1:1;',
		'scgi_pass 127.0.0.1:1;', 'stub_status;', 'empty_gif;',
		'memcached_pass 127.0.0.1:1;')
	{
		my ($their) = $other =~ /^(\w+)/;
		$t->rejects("$name, $their", qq/"$name" $conflict/,
			location("$ours $other"));
		$t->rejects("$their, $name", qq/"$name" $conflict/,
			location("$other $ours"));
	}

	$t->rejects("$name, ws_echo", qq/"ws_echo" $conflict/,
		location("$ours ws_echo;"));
	$t->rejects("ws_echo, $name", qq/"$name" $conflict/,
		location("ws_echo; $ours"));
	$t->rejects("$name in $_->[0]",
		qq/"$name" directive is not allowed here/, $_->[1])
		for ['http', $ours], ['server', "server { $ours }"],
			['limit_except', location("limit_except GET { $ours }")],
			['upstream', "upstream u { $ours }"];
}

$t->rejects('ws_rest twice', '"ws_rest" directive is duplicate',
	location('ws_rest /a/; ws_rest /b/;'));
$t->rejects("ws_rest$_", 'invalid number of arguments in "ws_rest" directive',
	location("ws_rest$_;")) for '', ' /a/ /b/';
$t->accepts('ws_rest with ws_route, ' . $_,
	location($_ eq 'first' ? 'ws_rest /a/; ws_route a GET /b/;'
		: 'ws_route a GET /b/; ws_rest /a/;')) for 'first', 'last';

# Values.

for (
	['ws_request_timeout', time => [qw/1ms 1s 1m 1d/], [qw/0 0s soon -1 1.5s/]],
	['ws_max_response', size => [qw/1 64k 1m 1g/], [qw/0 12x 2g -1 1.5m/]],
	['ws_inflight', number => [qw/1 65535/], [qw/0 65536 many/]],
	['ws_worker_inflight', number => [qw/1 65535/], [qw/0 65536 many/]],
) {
	my ($name, $kind, $good, $bad) = @$_;
	$t->accepts("$name $_", "$name $_;") for @$good;
	$t->rejects("$name $_", qr/^"$name" directive invalid $kind "$_": expected /,
		"$name $_;") for @$bad;
	$t->rejects("$name twice", qq/"$name" directive is duplicate/,
		"$name $good->[0]; $name $good->[0];");
	$t->rejects("$name without a value",
		qq/invalid number of arguments in "$name" directive/, "$name;");
}

# All but the handler are inherited, and allowed where nobody needs them.

my $values = 'ws_inflight 1; ws_request_timeout 1s; ws_max_response 1k;'
	. ' ws_order strict; ws_client_headers a; ws_response_headers b;';
$t->accepts('in http', $values);
$t->accepts('in server', "server { $values }");
$t->accepts('in a location of something else', location("$values return 200;"));
$t->accepts('in all of them', "$values server { $values location / { $values"
	. ' ws_rest /; } }');

# Nested locations and "if" are locations too.

$t->accepts('in a nested location',
	location('location /x/y { ws_rest /; } proxy_pass http://127.0.0.1:1;'));
$t->accepts('in a named location', 'server { location @x { ws_rest /; } }');
$t->accepts('with "if"', location('ws_rest /; if ($arg_x) { return 403; }'));

$t->finish;

###############################################################################

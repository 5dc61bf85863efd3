#!/usr/bin/perl

# Tests for WebSocket: where directives may stand, and how often.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new;

###############################################################################

my %directive = (
	ws_origin => 'same', ws_subprotocol => 'chat', ws_max_message => '1m',
	ws_max_fragments => '10', ws_idle_timeout => '1s', ws_ping_interval => '1s',
	ws_pong_timeout => '1s', ws_close_timeout => '1s', ws_max_lifetime => '1s',
	ws_send_queue => '1m', ws_send_timeout => '1s', ws_drain => '1s',
);

for my $name (sort keys %directive) {
	my $line = "$name $directive{$name};";
	my $server = "server { $line location / { $line ws_echo; } }";

	$t->accepts("$name on all levels", "$line $server");
	$t->accepts("$name before ws_echo and after",
		"server { location /a { $line ws_echo; }"
		. " location /b { ws_echo; $line } }");

	for (
		['http', "$line $line"],
		['server', "server { $line $line }"],
		['location', "server { location / { $line $line } }"],
	) {
		my ($where, $text) = @$_;
		$t->rejects("$name twice in $where",
			qq/"$name" directive is duplicate/, $text);
	}

	$t->rejects("$name outside http",
		qq/"$name" directive is not allowed here/, '', main => $line);
	$t->rejects("$name in an upstream",
		qq/"$name" directive is not allowed here/, "upstream u { $line }");
}

# ws_echo.

$t->accepts('ws_echo in nested locations', 'server { location / { ws_echo;'
	. ' location /a { return 200; } location /b { ws_echo; } } }');
$t->rejects('ws_echo twice', '"ws_echo" directive is duplicate',
	'server { location / { ws_echo; ws_echo; } }');
$t->rejects("ws_echo in $_->[0]", '"ws_echo" directive is not allowed here',
	$_->[1]) for
	['http', 'ws_echo;'],
	['server', 'server { ws_echo; }'],
	['limit_except', 'server { location / { limit_except GET { ws_echo; } } }'];

# ws_echo with another handler of content.

my $conflict =
	'"ws_echo" directive conflicts with another content handler of this location';

for my $other ('proxy_pass http://127.0.0.1:1;', 'stub_status;', 'empty_gif;',
	'fastcgi_pass 127.0.0.1:1;')
{
	my ($name) = $other =~ /^(\w+)/;
	$t->rejects("ws_echo before $name", $conflict,
		"server { location / { ws_echo; $other } }");
	$t->rejects("ws_echo after $name", $conflict,
		"server { location / { $other ws_echo; } }");
}

$t->accepts('another handler in a location inside', 'server { location / {'
	. ' ws_echo; location /p { proxy_pass http://127.0.0.1:1; } } }');

# Where the mistake is.

my (undef, $output) = $t->config_test("\nws_drain x;\n");
my ($line) = $output =~ /test\.conf:(\d+)/;
is((split /\n/, $t->read_file('test.conf'))[$line - 1], 'ws_drain x;',
	'line of the message');

(undef, $output) = $t->config_test("server {\nlocation / {\nws_echo;\n"
	. "proxy_pass http://127.0.0.1:1;\n}\n}\n");
($line) = $output =~ /test\.conf:(\d+)/;
like((split /\n/, $t->read_file('test.conf'))[$line - 1],
	qr/ws_echo|proxy_pass/, 'line of a conflict');

$t->finish;

###############################################################################

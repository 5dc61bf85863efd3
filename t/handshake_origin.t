#!/usr/bin/perl

# Tests for WebSocket: ws_origin.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /default { ws_echo; }
    location /any     { ws_echo; ws_origin any; }
    location /same    { ws_echo; ws_origin same; }
    location /host    { ws_echo; ws_origin example.com; }
    location /sub     { ws_echo; ws_origin *.example.com; }
    location /full    { ws_echo; ws_origin https://example.com:8443; }
    location /nodef   { ws_echo; ws_origin https://example.com; }
    location /list    { ws_echo; ws_origin same one.example https://two.example; }
}

EOF

###############################################################################

my $port = $t->port;

# Location, Origin, whether it may connect; Host is localhost:port.

for (
	['default', 'http://evil.example', 1],
	['any', 'http://evil.example', 1],
	['any', 'null', 1],
	['any', "http://\xff\xfe.example", 1],

	['same', "http://localhost:$port", 1],
	['same', "http://LOCALHOST:$port", 1],
	['same', "http://localhost:1$port", 0],
	['same', 'http://localhost', 0],
	['same', "http://evil.example:$port", 0],
	['same', "http://localhost:$port.evil.example", 0],
	['same', "http://localhost:$port\@evil.example", 0],
	['same', "http://evil.example/localhost:$port", 0],
	['same', "localhost:$port", 0],
	['same', 'null', 0],
	['same', '', 0],
	['same', 'http://', 0],
	['same', "http://localhost:$port\xff", 0],

	['host', 'http://example.com', 1],
	['host', 'https://example.com', 1],
	['host', 'https://EXAMPLE.com:8443', 1],
	['host', 'https://www.example.com', 0],
	['host', 'https://notexample.com', 0],
	['host', 'https://example.com.evil.example', 0],
	['host', 'https://example.co', 0],
	['host', 'https://evil.example/example.com', 0],
	['host', 'https://example.com@evil.example', 0],
	['host', "http://localhost:$port", 0],
	['host', 'null', 0],
	['host', "http://\xffexample.com", 0],
	['host', "http://example.com\xc3", 0],

	['sub', 'https://www.example.com', 1],
	['sub', 'http://a.b.EXAMPLE.com:81', 1],
	['sub', 'https://example.com', 0],
	['sub', 'https://evilexample.com', 0],
	['sub', 'https://.example.com', 0],
	['sub', 'https://www.example.com.evil.example', 0],
	['sub', "https://\xff.example.com", 0],

	['full', 'https://example.com:8443', 1],
	['full', 'HTTPS://Example.com:8443', 1],
	['full', 'https://example.com', 0],
	['full', 'https://example.com:84430', 0],
	['full', 'http://example.com:8443', 0],

	['nodef', 'https://example.com', 1],
	['nodef', 'https://example.com:443', 1],
	['nodef', 'https://example.com:8443', 0],
	['nodef', 'http://example.com', 0],

	['list', "http://localhost:$port", 1],
	['list', 'http://one.example', 1],
	['list', 'https://two.example', 1],
	['list', 'http://two.example', 0],
	['list', 'http://three.example', 0],
	['list', "\xff", 0],
) {
	my ($where, $origin, $may) = @$_;
	my $s = $t->http("/$where", name => "localhost:$port",
		headers => ["Origin: $origin"]);
	$origin =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
	is($s->status, $may ? 101 : 403, "$where: '$origin'");
}

is($t->http("/$_")->status, 101, "$_: no origin")
	for qw/default any same host sub full list/;

is($t->http('/same', name => 'example.com',
	headers => ['Origin: https://example.com'])->status, 101,
	'same: a TLS proxy in front');

my $two = $t->http('/host', headers => ['Origin: https://example.com',
	'Origin: https://evil.example']);
like($two->status, qr/^40[03]$/, 'two origins');

like($t->error_log, qr/\[info\].*origin/, 'refusal is logged');

$t->finish;

###############################################################################

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
    location /null    { ws_echo; ws_origin null; }
    location /ext     { ws_echo; ws_origin chrome-extension://abcdefghijklmnop; }
    location /app     { ws_echo; ws_origin same a+b-c.d1://localhost null; }
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

	['null', 'null', 1],
	['null', 'Null', 0],
	['null', 'https://null', 0],
	['null', 'https://null.example', 0],
	['null', "http://localhost:$port", 0],
	['null', '', 0],

	['ext', 'chrome-extension://abcdefghijklmnop', 1],
	['ext', 'chrome-extension://abcdefghijklmnoo', 0],
	['ext', 'chrome-extension://abcdefghijklmnop:80', 0],
	['ext', 'https://abcdefghijklmnop', 0],
	['ext', 'null', 0],

	['app', 'a+b-c.d1://localhost', 1],
	['app', "http://localhost:$port", 1],
	['app', 'null', 1],
	['app', 'a+b-c.d2://localhost', 0],

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
	for qw/default any same host sub full null ext app list/;

is($t->http('/same', name => 'example.com',
	headers => ['Origin: https://example.com'])->status, 101,
	'same: a TLS proxy in front');

my $two = $t->http('/host', headers => ['Origin: https://example.com',
	'Origin: https://evil.example']);
like($two->status, qr/^40[03]$/, 'two origins');

# Refusals are logged, once each, and nothing in them can look like another line.

my $count = () = $t->error_log =~ /is not allowed/g;
is($t->http('/same', name => 'here.example', headers =>
	["Origin: https://evil\x1b.example/\"\t\xff"])->status, 403, 'odd bytes');
like($t->error_log, qr/\[error\][^\n]*origin "https:\/\/evil\\x1b.example\/\\"\\t\\xff" is not allowed, "Host" is "here.example"/,
	'origin and host are logged');
is(() = $t->error_log =~ /is not allowed/g, $count + 1, 'once');
like($t->error_log, qr/\[error\].*origin "null" is not allowed/, 'null');
$t->rejects("ws_origin $_", qr/^"ws_origin" directive invalid value "\Q$_\E"/,
	"ws_origin $_;")
	for '1a://x', 'a_b://x', '://x';

$t->finish;

###############################################################################

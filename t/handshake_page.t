#!/usr/bin/perl

# Tests for WebSocket: pages of `error_page 426` are about the upgrade only
# where they can be.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->certificate->run(<<'EOT');

server {
    listen 127.0.0.1:%%PORT%%;
    http2 on;

    location /none     { ws_echo; }
    location /same     { ws_echo; error_page 426 /page; }
    location /number   { ws_echo; error_page 426 =426 /page; }
    location /named    { ws_echo; error_page 426 @page; }
    location /app      { ws_echo; error_page 426 = @page; }
    location /ok       { ws_echo; error_page 426 =200 /page; }
    location /redirect { ws_echo; error_page 426 http://elsewhere.example/; }
    location /moved    { ws_echo; error_page 426 =301 /page; }
    location /other    { ws_echo; error_page 404 /page; }

    location /page {
        return 200 "page\n";
    }

    location @page {
        return 200 "page\n";
    }
}

EOT

###############################################################################

my $url = 'http://127.0.0.1:' . $t->port;

# Where, the status, and whether the response is about the upgrade: over
# HTTP/1.1, over HTTP/2 (which has but the version to tell).

for (
	['none', 426, 'connection sec-websocket-version upgrade',
		'sec-websocket-version'],
	['other', 426, 'connection sec-websocket-version upgrade',
		'sec-websocket-version'],
	['same', 426, 'connection sec-websocket-version upgrade', ''],
	['number', 426, 'connection sec-websocket-version upgrade', ''],
	['named', 426, 'connection sec-websocket-version upgrade', ''],
	['app', 200, '', ''],
	['ok', 200, '', ''],
	['redirect', 302, '', ''],
	['moved', 301, '', ''],
) {
	my ($where, $status, @about) = @$_;
	for (['--http1.1', $about[0]], ['--http2-prior-knowledge', $about[1]]) {
		my ($option, $about) = @$_;
		my ($head) = split /\r\n\r\n/,
			qx{curl -sS -i -m 10 $option $url/$where 2>&1};
		my $name = "$where, $option";
		like($head, qr/^HTTP\S+ $status/, "$name: status");
		my @names = map { lc } $head
			=~ /^(Upgrade|Connection(?=: Upgrade)|Sec-WebSocket-Version):/mgi;
		is(join(' ', sort @names), $about, "$name: headers");
	}
}

$t->finish;

###############################################################################

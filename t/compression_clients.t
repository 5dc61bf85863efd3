#!/usr/bin/perl

# Tests for WebSocket: permessage-deflate with clients that offer it.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

log_format sizes "$uri $ws_bytes_in $ws_bytes_out $bytes_sent";
access_log %%TESTDIR%%/access.log sizes;

server {
    listen 127.0.0.1:%%PORT%%;
    ws_compression on;

    location /drop { ws_echo; }
    location /keep {
        ws_echo;
        ws_compression_context_takeover on;
        ws_compression_window 12;
    }
}

EOF

###############################################################################

my $none = 'server_no_context_takeover; client_no_context_takeover';
my @python = ('venv/bin/python', 'compressed.py', $t->port);

is($t->client(@python, '/drop'), join('', map { "permessage-deflate; $_\n" }
	$none, "$none; server_max_window_bits=10", $none),
	'websockets without context takeover');

is($t->client(@python, '/keep'), join('', map { "permessage-deflate; $_\n" }
	'client_max_window_bits=12',
	'server_max_window_bits=10; client_max_window_bits=10', $none),
	'websockets with context takeover');

for my $path ('/drop', '/keep') {
	like($t->client('node', 'compressed.js', $t->port, $path),
		qr/^permessage-deflate\n$/, "ws at $path");
}

# It was worth it: what went out is less than what was echoed.

for ($t->logged(8)) {
	my ($uri, $in, $out, $sent) = split;
	is($in, $out, "$uri: payload bytes are those of the messages");
	cmp_ok($sent, '<', $out * 0.75, "$uri: bytes on the wire");
}

$t->finish;

###############################################################################

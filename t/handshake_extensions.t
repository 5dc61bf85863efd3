#!/usr/bin/perl

# Tests for WebSocket: Sec-WebSocket-Extensions in a handshake and its answer
# (RFC 6455, 9.1; RFC 7692, 5).

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

    location /off { ws_echo; }
    location /on { ws_echo; ws_compression on; }
    location /keep {
        ws_echo;
        ws_compression on;
        ws_compression_context_takeover on;
        ws_compression_window 12;
    }
}

EOF

###############################################################################

# The status, and all extension headers of the answer.

sub answer {
	my ($where, @offers) = @_;
	my $s = $t->http("/$where", headers =>
		[map { "Sec-WebSocket-Extensions: $_" } @offers]);
	my $headers = $s->{headers}{'sec-websocket-extensions'} // [];
	return join ' | ', $s->status, @$headers;
}

my $none = 'server_no_context_takeover; client_no_context_takeover';

# What is no list of extensions fails the handshake, also behind a good offer
# and where there is nothing to agree on.

for my $offer (
	'', ',', ' , ,', ';', 'permessage-deflate;', 'permessage-deflate; =1',
	'permessage-deflate; server_max_window_bits=',
	'permessage-deflate; server_max_window_bits="10',
	'permessage-deflate; server_max_window_bits=""',
	'permessage-deflate; server_max_window_bits="1 0"',
	'permessage-deflate server_no_context_takeover', 'a b', 'a=1', 'a; b c',
	'a; b=1=2', '"a"', 'a@b', "a\xe9", 'permessage-deflate, (comment)',
	'permessage-deflate, x;',
) {
	is(answer($_, $offer), '400', "malformed, $_: '$offer'") for qw/off on/;
}
is(answer('on', 'permessage-deflate', 'a b'), '400', 'malformed in a second line');

# The answer has one such header, with one extension of those that were offered.

my $plain = "101 | permessage-deflate; $none";

for (
	['permessage-deflate', $plain],
	['permessage-deflate, permessage-deflate', $plain],
	['x-unknown, permessage-deflate', $plain],
	['x-unknown; a="1"; b, ,permessage-deflate ;client_max_window_bits', $plain],
	['x-unknown', '101'],
	['x-permessage-deflate', '101'],
	['PERMESSAGE-DEFLATE', '101'],

	# A parameter that is unknown, repeated, or has a value it cannot have
	# declines the offer, and another one may follow.
	['permessage-deflate; x', '101'],
	['permessage-deflate; server_no_context_takeover=1', '101'],
	['permessage-deflate; client_no_context_takeover; '
		. 'client_no_context_takeover', '101'],
	(map {
		["permessage-deflate; $_", '101']
	} 'server_max_window_bits', 'server_max_window_bits=7',
		'server_max_window_bits=16', 'server_max_window_bits=010',
		'server_max_window_bits=+9', 'client_max_window_bits=7',
		'client_max_window_bits=16', 'client_max_window_bits=x'),
	['permessage-deflate; x, permessage-deflate; server_max_window_bits=11',
		"$plain; server_max_window_bits=11"],

	# zlib has no window of 8 bits.
	['permessage-deflate; server_max_window_bits=8', '101'],
	(map {
		["permessage-deflate; server_max_window_bits=$_",
			"$plain; server_max_window_bits=$_"]
	} 9 .. 15),
	['permessage-deflate; server_max_window_bits="10"',
		"$plain; server_max_window_bits=10"],
) {
	my ($offer, $expected) = @$_;
	is(answer('on', $offer), $expected, $offer);
}

is(answer('on', 'x-unknown', 'permessage-deflate'), $plain, 'in a second line');
is(answer('off', 'permessage-deflate'), '101', 'not where it is off');
is(answer('on'), '101', 'not without an offer');

# The client's window is limited only when the client knows how.

for (
	['', '; client_no_context_takeover'],
	['; client_max_window_bits', '; client_max_window_bits=12'],
	['; client_max_window_bits=10', '; client_max_window_bits=10'],
	['; client_max_window_bits=15', '; client_max_window_bits=12'],
	['; client_no_context_takeover; client_max_window_bits',
		'; client_no_context_takeover'],
	['; server_no_context_takeover; client_max_window_bits',
		'; server_no_context_takeover; client_max_window_bits=12'],
	['; server_max_window_bits=15; client_max_window_bits',
		'; server_max_window_bits=12; client_max_window_bits=12'],
) {
	my ($offer, $expected) = @$_;
	is(answer('keep', "permessage-deflate$offer"),
		"101 | permessage-deflate$expected", "with takeover: '$offer'");
}

$t->finish;

###############################################################################

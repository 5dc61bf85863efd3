#!/usr/bin/perl

# Tests for WebSocket: ws_subprotocol.

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

    location /none { ws_echo; }
    location /one  { ws_echo; ws_subprotocol chat; }
    location /two  { ws_echo; ws_subprotocol chat.v2 chat.v1; }
}

EOF

###############################################################################

# Location, offered headers, the one selected.

for (
	['none', ['chat'], undef],
	['one', [], undef],
	['one', ['chat'], 'chat'],
	['one', ['superchat'], undef],
	['one', ['chat2'], undef],
	['one', ['cha'], undef],
	['one', ['CHAT'], undef],
	['one', ['other, chat'], 'chat'],
	['one', ['other,chat,more'], 'chat'],
	['one', ["other ,\t chat ,"], 'chat'],
	['one', ['other', 'chat'], 'chat'],
	['one', ['chat, chat'], 'chat'],
	['two', ['chat.v1'], 'chat.v1'],
	['two', ['chat.v1, chat.v2'], 'chat.v2'],
	['two', ['chat.v1', 'chat.v2'], 'chat.v2'],
	['two', ['chat.v3'], undef],
) {
	my ($where, $offers, $selected) = @$_;
	my $s = $t->ws("/$where",
		headers => [map { "Sec-WebSocket-Protocol: $_" } @$offers]);
	is($s->header('Sec-WebSocket-Protocol'), $selected,
		"$where: " . join ' and ', map { "'$_'" } @$offers);
}

# What is no list of tokens fails the handshake (RFC 6455, 4.2.1).

for my $value ('', ',', 'cha t', 'chat@1', "ch\xe9t", 'chat, b(c)', '"chat"') {
	my $s = $t->http('/one', headers => ["Sec-WebSocket-Protocol: $value"]);
	is($s->status, 400, "malformed: '$value'");
}

$t->finish;

###############################################################################

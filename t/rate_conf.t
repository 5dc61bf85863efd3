#!/usr/bin/perl

# Tests for WebSocket: what is wrong with a message rate in a configuration.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new;
my $zone = 'ws_message_zone $arg_a zone=z:64k rate=1r/s;';

$t->accepts('good ones', "ws_message_rate 5r/s burst=9 close; $zone");

for (
	['ws_message_rate 0r/s;', 'invalid rate "0r/s"'],
	['ws_message_rate 5;', 'invalid rate "5"'],
	['ws_message_rate 5r/s burst=x;', 'invalid parameter "burst=x"'],
	['ws_message_rate 5r/s burst=60001;', 'invalid parameter "burst=60001"'],
	['ws_message_rate 5r/s close delay;', 'invalid parameter "delay"'],
	['ws_message_rate 5r/s; ws_message_rate 5r/s;', 'directive is duplicate'],
	['ws_message_zone $arg_a zone=z rate=1r/s;', 'invalid zone "z"'],
	['ws_message_zone $arg_a zone=z:1k rate=1r/s;', 'zone "z" is too small'],
	['ws_message_zone $arg_a zone=z:64k rate=x;', 'invalid rate "x"'],
	['ws_message_zone $arg_a zone=z:64k size=1;', 'invalid parameter "size=1"'],
	["$zone $zone", 'already'],
	['ws_message_limit name;', 'invalid parameter "name"'],
) {
	my ($directive, $error) = @$_;
	$t->rejects($directive, qr/\Q$error\E/, $directive);
}

like(($t->config_test('ws_message_limit zone=nowhere;'))[1],
	qr/\[emerg\] zero size shared memory zone "nowhere"/, 'an unknown zone');

$t->finish;

###############################################################################

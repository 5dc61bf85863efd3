#!/usr/bin/perl

# Tests for the configuration: what does not do what it seems to is refused or
# told.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new;

sub location { "server { location / { $_[0] } }" }

# A prefix is never evaluated, so it has no variables.

$t->rejects("ws_rest $_", qq/"ws_rest" directive invalid prefix "$_": it cannot have/
	. ' variables', location("ws_rest $_;")) for '/api/$1/', '/$uri', '/a${b}/';

# A word that is no format is the name of a zone.

like(($t->config_test('ws_zone z 64k;' . location('ws_status promethues;')))[1],
	qr/zone "promethues": "ws_status" needs a ws_zone in \S+:\d+$/m,
	'ws_status promethues');

# Idle before it is pinged.

my $warning = qr/\[warn\] .*"ws_ping_interval" directive is not below ws_idle_timeout/;

for (
	['ws_echo; ws_ping_interval 3m;', 1],
	['ws_echo; ws_ping_interval 120s;', 1],
	['ws_echo; ws_ping_interval 30s;', ''],
	['ws_echo; ws_ping_interval 3m; ws_idle_timeout 0;', ''],
	['ws_echo; ws_ping_interval 1s; ws_idle_timeout 500ms;', 1],
	['ws_ping_interval 3m;', ''],
) {
	my ($text, $warns) = @$_;
	my ($good, $output) = $t->config_test(location($text));
	ok($good, "accepted: $text");
	is($output =~ $warning, $warns, "warning: $text");
}

$t->finish;

###############################################################################

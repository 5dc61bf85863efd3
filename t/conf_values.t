#!/usr/bin/perl

# Tests for WebSocket: values of directives that nginx -t refuses.

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

# Sizes, times, numbers: what fits into none of them.

my %wrong = (
	size => [qw/12x k 1.5m -1 1k1k 99999999999999999999 0x10/, '""'],
	time => [qw/soon s -1 1.5s 99999999999999999999s 1y1y/, '""'],
	number => [qw/many 0 -1 1.5 +1 10k 4294967296 99999999999999999999/,
		'""'],
);

my %kind = (
	ws_max_message => 'size', ws_send_queue => 'size',
	ws_idle_timeout => 'time', ws_ping_interval => 'time',
	ws_pong_timeout => 'time', ws_close_timeout => 'time',
	ws_max_lifetime => 'time', ws_send_timeout => 'time',
	ws_drain => 'time', ws_max_fragments => 'number',
);

for my $name (sort keys %kind) {
	my $kind = $kind{$name};

	for my $value (@{$wrong{$kind}}) {
		my $shown = $value eq '""' ? '' : $value;
		$t->rejects("$name $value",
			qr/^"$name" directive invalid $kind "\Q$shown\E": expected /,
			"$name $value;");
	}

	for my $arguments ('', ' 1 2') {
		$t->rejects("$name with " . ($arguments ? 'two values' : 'no value'),
			qq/invalid number of arguments in "$name" directive/,
			"$name$arguments;");
	}
}

# The whole messages.

$t->rejects('message for a size', '"ws_max_message" directive invalid size'
	. ' "12x": expected a size such as 64k or 1m', 'ws_max_message 12x;');
$t->rejects('message for a time', '"ws_idle_timeout" directive invalid time'
	. ' "soon": expected a time such as 30s or 500ms',
	'ws_idle_timeout soon;');
$t->rejects('message for a number', '"ws_max_fragments" directive invalid'
	. ' number "0": expected 1 to 4294967295', 'ws_max_fragments 0;');

# The ends of the ranges.

for (
	['ws_max_message', [qw/1 1g 1024m 64k/], [qw/0 1025m 2g/]],
	['ws_send_queue', [qw/1k 1024 1g/], [qw/0 1023/]],
	['ws_max_fragments', [qw/1 4294967295/], []],
	['ws_idle_timeout', [qw/0 1ms 1s 1m30s 1d/], []],
	['ws_ping_interval', [qw/0 1ms/], []],
	['ws_max_lifetime', [qw/0 1ms/], []],
	['ws_send_timeout', [qw/0 1ms/], []],
	['ws_drain', [qw/0 1ms/], []],
	['ws_pong_timeout', [qw/1ms/], [qw/0 0s/]],
	['ws_close_timeout', [qw/1ms/], [qw/0 0s/]],
) {
	my ($name, $good, $bad) = @$_;

	$t->accepts("$name $_", "$name $_;") for @$good;

	for my $value (@$bad) {
		$t->rejects("$name $value", qr/^"$name" directive invalid \w+ "$value"/,
			"$name $value;");
	}
}

# Names.

for my $value ('any', 'same', 'example.com', '*.example.com',
	'https://example.com:8443', 'same a.example *.b.example', '[::1]',
	'http://[::1]:8080')
{
	$t->accepts("ws_origin $value", "ws_origin $value;");
}

for my $value ('any same', 'same any', 'https://', 'https://example.com:x',
	'https://example.com/path', 'a,b', '*', '*.', '""', 'exa*mple.com')
{
	$t->rejects("ws_origin $value", qr/^"ws_origin" directive invalid value "/,
		"ws_origin $value;");
}

for my $value ('a,b', '"a b"', 'a/b', '""', '"\"a\""', 'a(b)') {
	$t->rejects("ws_subprotocol $value",
		qr/^"ws_subprotocol" directive invalid name "/,
		"ws_subprotocol $value;");
}

$t->rejects('ws_subprotocol with a name twice',
	qr/^"ws_subprotocol" directive .*"chat"/, 'ws_subprotocol chat x chat;');
$t->rejects("$_ without a value",
	qq/invalid number of arguments in "$_" directive/, "$_;")
	for qw/ws_origin ws_subprotocol/;
$t->rejects('ws_echo with a value',
	'invalid number of arguments in "ws_echo" directive',
	'server { location / { ws_echo on; } }');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for the configuration: a zone of shared memory is of one kind, whatever
# comes first, its definition or its use.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new;

my $counters = 'ws_zone z 64k;';
my $rates = 'ws_message_zone $arg_k zone=z:64k rate=1r/s;';
my $theirs = 'limit_req_zone $arg_k zone=z:64k rate=1r/s;';

sub location { "server { location / { $_[0] } }" }

# Directives that use a zone, and what they must find.

my %use = (
	ws_message_limit => [$rates, 'ws_message_limit zone=z;'],
	ws_zone => [$counters, 'ws_zone z;'],
	ws_status => [$counters, 'ws_status z;'],
);

my %wrong = (
	ws_message_limit => [$counters, $theirs],
	ws_zone => [$rates, $theirs],
	ws_status => [$rates, $theirs],
);

for my $name (sort keys %use) {
	my ($good, $use) = @{$use{$name}};
	my $text = location($name eq 'ws_status' ? $use : "ws_echo; $use");

	$t->accepts("$use behind $good", "$good $text");
	$t->accepts("$use before $good", "$text $good");
	refuses("$use behind $_", $name, "$_ $text") for @{$wrong{$name}};

	# Now it is the definition that comes too late.
	refuses("$use before $_", (split)[0], "$text $_") for @{$wrong{$name}};
}

refuses("$rates behind $counters", 'ws_message_zone', "$counters $rates");
refuses("$counters behind $rates", 'ws_zone', "$rates $counters");

# nginx says that the kinds differ, and then the directive that it cannot be had;
# where the other directive is a module's own, nginx alone says so.

sub refuses {
	my ($what, $name, $http) = @_;
	my ($good, $output) = $t->config_test($http);
	my $nginx = qr/^nginx: \[emerg\]/m;
	my $where = qr/in \S+test\.conf:\d+$/m;
	ok(!$good, $what);
	like($output, qr/$nginx the shared memory zone "z" is already declared for a different use $where/,
		"$what: the zone");
	like($output, qr/$nginx "$name" directive cannot (?:use|define) zone "z" as a ws_\w+ $where/,
		"$what: the directive") unless $name eq 'limit_req_zone';
}

# The same zones from the start and over a reload: a name that changes its kind
# begins anew.

my $server = "server { listen 127.0.0.1:%%PORT%%;\n"
	. "location /status { ws_status json; }\nlocation /a { ws_echo; LIMIT } }";
$t->run("$rates\nws_zone y 64k;\n" . $server =~ s/LIMIT/ws_message_limit zone=z close;/r);
my $s = $t->ws('/a?k=1');
$s->text('x');
is($s->read, 'text:x', 'a message within the limit');
$t->closes($s->text('y'), 1008, 'one above it');

my @old = $t->reload("$counters\n" . $server =~ s/LIMIT//r);
ok($t->gone($_), 'the old worker leaves') for @old;
$s = $t->ws('/a?k=1');
$s->text('x');
is($s->read, 'text:x', 'the name is that of counters now');
like($t->http("GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")->body,
	qr/"z": \{/, 'which are shown');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for the documentation: the counters of docs/operations.md.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF_CONF');

ws_zone main 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location /status {
        ws_status prometheus;
    }
}

EOF_CONF

open my $file, '<', $t->top . '/docs/operations.md' or die "operations.md: $!\n";
my $page = do { local $/; <$file> };
my ($part) = $page =~ /^## Counters\n(.*?)^## /ms or die "no counters\n";

###############################################################################

my %documented = $part =~ /^\| `(\w+)` \|([^|]*)\|/mg;

# Names and labels that nginx shows, without those that all have.

my $body = $t->http("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")->body;
my %shown;
for ($body =~ /^(\w+\{.*\}) \d/mg) {
	my ($name, $labels) = /^(\w+)\{(.*)\}$/;
	$name =~ s/_(?:bucket|sum|count)$//;
	$shown{$name}{$_} = 1 for grep { !/^(?:zone|le)$/ } $labels =~ /(\w+)="/g;
	$shown{$name} //= {};
}

cmp_ok(keys %shown, '>=', 11, 'number of metrics');
is(join(' ', sort keys %documented), join(' ', sort keys %shown), 'metrics');
is(join(' ', sort $documented{$_} =~ /`(\w+)`/g),
	join(' ', sort keys %{$shown{$_} // {}}), "$_: labels")
	for sort keys %documented;

$t->finish;

###############################################################################

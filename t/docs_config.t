#!/usr/bin/perl

# Tests for the documentation: nginx takes all configurations in it, links lead
# somewhere.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->certificate;
my @pages = map { s/^\Q@{[$t->top]}\E\///r } glob $t->top . '/{*,docs/*}.md';

my %text;
for my $page (@pages) {
	open my $file, '<', $t->top . "/$page" or die "$page: $!\n";
	local $/;
	$text{$page} = <$file>;
}

###############################################################################
# Configurations: a whole file, the content of http{}, or locations.

my %blocks;

for my $page (@pages) {
	my $number = 0;
	while ($text{$page} =~ /^( *)```nginx\n(.*?)^ *```$/msg) {
		my ($indent, $block) = ($1, $2);
		$block =~ s/^$indent//mg;
		check("$page, configuration " . ++$number, $block);
		$blocks{$page} = $number;
	}
}

sub check {
	my ($name, $block) = @_;

	# Ports that are free, and nginx's own folders.
	$block =~ s/\blisten (?:\S+:)?(\d+)\b/listen 127.0.0.1:%%PORT_$1%%/g;
	$block =~ s/\breuseport\b//g;
	$block =~ s/\blogs\//%%TESTDIR%%\//g;

	return $t->accepts($name, $block) if $block !~ /^(?:location|events)/m;
	return $t->accepts($name, "server {\nlisten 127.0.0.1:%%PORT%%;\n$block}")
		unless $block =~ /^events/m;

	# A whole file: what is around http{} is given by the harness.
	my ($main, $events, $http)
		= $block =~ /^(.*?)^events \{(.*?)^\}\s+^http \{\n(.*)^\}\s*$/ms
		or return fail("$name: events, then http");
	$main =~ s/^(?:load_module|worker_processes|error_log|pid) .*;$//mg;
	$main =~ s/^worker_rlimit_nofile .*;$//mg;
	$t->accepts($name, $http, main => $main, events => $events);
}

cmp_ok($blocks{'README.md'} // 0, '>=', 2, 'configurations of README.md');
cmp_ok($blocks{'docs/directives.md'}, '>=', 8,
	'configurations of docs/directives.md');
cmp_ok($blocks{'docs/operations.md'}, '>=', 6,
	'configurations of docs/operations.md');

###############################################################################
# Links: files of the repository, and headings in them.

sub anchors {
	my ($page) = @_;
	my $plain = $text{$page} =~ s/^```.*?^```$//msgr;
	return map { lc(s/[^\w -]//gr) =~ tr/ /-/r => 1 } $plain =~ /^#+ (.*)$/mg;
}

for my $page (@pages) {
	my $plain = $text{$page} =~ s/^ *```.*?^ *```$//msgr;
	my ($folder) = $page =~ m!^(.*/)?!;
	my @dead;

	for my $link ($plain =~ /\]\(([^)\s]+)\)/g) {
		next if $link =~ /^https?:/;
		my ($file, $anchor) = split /#/, $link, 2;
		my $target = length $file ? ($folder // '') . $file : $page;
		1 while $target =~ s![^/]+/\.\./!!;

		my $good = -e $t->top . "/$target";
		$good &&= {anchors($target)}->{$anchor}
			if defined $anchor && $text{$target};
		push @dead, $link unless $good;
	}

	is(join(' ', @dead), '', "$page: links");
}

# Nobody else has this machine.

for my $page (@pages) {
	unlike($text{$page}, qr!/(?:home|root|work|Users)/!, "$page: paths");
}

$t->finish;

###############################################################################

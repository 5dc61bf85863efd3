#!/usr/bin/perl

# Tests for the documentation: docs/conformance.md names tests that exist.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Source;
use Test::More;

###############################################################################

my $top = "$FindBin::Bin/..";

sub slurp {
	my ($name) = @_;
	open my $file, '<', "$top/$name" or return;
	local $/;
	return <$file>;
}

# Autobahn's sections and the number of their cases, which
# conformance_autobahn.t counts.

my %cases = map { /(.*):(.*)/ } qw/1.1:8 1.2:8 2:11 3:7 4.1:5 4.2:5 5:20 6.1:3
	6.2:4 6.3:2 6.4:4 6.5:5 6.6:11 6.7:4 6.8:2 6.9:4 6.10:3 6.11:5 6.12:8
	6.13:5 6.14:10 6.15:1 6.16:3 6.17:5 6.18:5 6.19:5 6.20:7 6.21:8 6.22:34
	6.23:7 7.1:6 7.3:6 7.5:1 7.7:13 7.9:9 7.13:2 9.1:6 9.2:6 9.3:9 9.4:9 9.5:6
	9.6:6 9.7:6 9.8:6 10.1:1 12.1:18 12.2:18 12.3:18 12.4:18 12.5:18 13.1:18
	13.2:18 13.3:18 13.4:18 13.5:18 13.6:18 13.7:18/;

# Whether there are cases "3.*", "9.1", "5.3".

sub is_case {
	my ($name) = @_;
	my $section = $name =~ s/\.\*$//r;
	return grep { "$_." =~ /^\Q$section\E\./ } keys %cases
		if $section ne $name || exists $cases{$name};
	return $name =~ /^(.*)\.(\d+)$/ && exists $cases{$1} && $2 >= 1
		&& $2 <= $cases{$1};
}

# Whether nginx tests have a test of this name, or whose name has such a part.

sub has_test {
	my ($file, $name) = @_;
	my $source = slurp("t/$file") =~ s/^\s*#.*//mgr;
	return $source =~ /(?:['"]|[:,] )\Q$name\E/;
}

sub has_unit_test {
	my ($module, $name) = @_;
	return grep { /\#\[test\]\s+fn\ \Q$name\E\(/x }
		Source::named($module, "${module}_tests");
}

# What a text names that does not exist.

sub missing {
	my ($text) = @_;
	my @missing;

	while ($text =~ /`(\w+)::(\w+)`/g) {
		push @missing, "$1::$2" unless has_unit_test($1, $2);
	}

	while ($text =~ m!`(?:t/)?(\w+\.t)`((?:,? "[^"]*")*)!g) {
		my ($file, $names) = ($1, $2);
		if (!-e "$top/t/$file") {
			push @missing, $file;
			next;
		}
		push @missing, map { "$file $_" } grep { !has_test($file, $_) }
			$names =~ /"([^"]*)"/g;
	}

	push @missing, grep { !-e "$top/$_" }
		$text =~ m!`((?:src|t|fuzz|docs|nginx-build)/[\w./-]*)!g;

	# "A 3.*, 4.1.3 to 4.1.5".

	my $case = qr/\d+(?:\.\d+)*(?:\.\\\*)?/;
	while ($text =~ /\bA ($case(?:(?:,| to) $case)*)/g) {
		push @missing, map { "A $_" } grep { !is_case($_) }
			map { s/\\//gr } $1 =~ /$case/g;
	}

	return @missing;
}

# Whether a row says how its rule is shown.

sub is_shown {
	my ($text, $page) = @_;
	return 1 if $text =~ /`\w+::\w+`|`\w+\.t`|\bA \d|\bstrict\b|\bframes\b/;
	return 1 if $text =~ /^(?:as (?:above:|for) |all of the above$|no rule )/;
	my ($section) = $text =~ /^see (\d[\d.]*|RFC \d+)$/ or return;
	return $page =~ /^###? \Q$section\E\b/m;
}

###############################################################################

# This test can fail.

for (
	['`header::every_rule_of_a_single_header`, `frame_errors.t`', ''],
	['`header::no_such_rule`', 'header::no_such_rule'],
	['`headers::every_rule_of_a_single_header`',
		'headers::every_rule_of_a_single_header'],
	['`deflate::see_whether_there_is_memory`',
		'deflate::see_whether_there_is_memory'],
	['`frame_error.t`', 'frame_error.t'],
	['`frame_errors.t` "unmasked text", "no such"', 'frame_errors.t no such'],
	['`frame_errors.t`, `frame_close.t` "half a code", "code"',
		'frame_close.t code'],
	['`src/proto/no.rs`', 'src/proto/no.rs'],
	['A 3.\*, 5.3 to 5.8, 7.1.6, 12.\*', ''],
	['A 5.21', 'A 5.21'],
	['`x` A 3.1, 8.\*', 'A 8.*'],
	['A 6.2.1 to 6.2.5, 4.3.1', 'A 6.2.5 A 4.3.1'],
) {
	my ($text, $missing) = @$_;
	is(join(' ', missing($text)), $missing, "of $text");
}

my $total = 0;
$total += $_ for values %cases;
is($total, 517, 'cases of Autobahn');

###############################################################################

my $page = slurp('docs/conformance.md') // die "no page\n";
is(join("\n", missing($page)), '', 'all names on the page exist');

my ($rules) = $page =~ /^(## RFC 6455\n.*?)^## (?!RFC)/ms;
my @rows = map { [split / \| /, s/^\| | \|$//gr] }
	grep { !/^\| (?:rule|the request needs) \||^\|---/ }
	$rules =~ /^(\|.*)$/mg;

cmp_ok(@rows, '>=', 85, 'rules');
is(join("\n", map { $_->[0] } grep { @$_ != 2 } @rows), '', 'two columns');
is(join("\n", map { $_->[0] } grep { !is_shown($_->[1] // '', $page) } @rows),
	'', 'each is shown by something');

# The figures of Autobahn are those that are tested.

my $autobahn = slurp('t/conformance_autobahn.t');
my ($cases, $info) = $autobahn =~ /\['all', 'all sections', (\d+), (\d+)\]/;
my $passed = $cases - $info;
like($page, qr/^\| `--fast`: $cases, .* \| $passed \| $info \| 0 \|$/m,
	'fast cases');
$passed = $total - $info;
like($page, qr/^\| `--all`: $total \| $passed \| $info \| 0 \|$/m, 'all cases');

# The fuzz targets are those that there are, and are all run.

my @targets = sort $page =~ /^\| `(\w+)` \| [^|]* \| [\d,]+ \| [\d,]+ \|$/mg;
is("@targets", join(' ', sort map { m!(\w+)\.rs$! }
	glob "$top/fuzz/fuzz_targets/*.rs"), 'fuzz targets');
my ($all) = slurp('nginx-build/fuzz') =~ /^all="(.*)"$/m;
is(join(' ', sort split / /, $all), "@targets", 'all of them by default');

# Every section of Autobahn's is named by some rule, but those about its limits
# and about compression, which the page tells of as a whole.

for my $section (sort { $a <=> $b } map { /^(\d+)/ } keys %cases) {
	like($page, qr/(?<![\d.])$section\.[\d\\]/, "section $section is named");
}

done_testing();

###############################################################################

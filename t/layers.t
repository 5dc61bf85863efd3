#!/usr/bin/perl

# Tests for WebSocket: the rooms of src/ in the order that docs/architecture.md
# gives.  A file uses its own room and those above it, and nothing else.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Source;
use Test::More;

###############################################################################

# Rooms of a table, each with its place: the rows below "| layer | room |".

sub rooms {
	my ($page) = @_;
	my ($table) = $page =~ /^\| layer \| room \|.*\n\|[-| ]+\n((?:\|.*\n)+)/m
		or die "no table of rooms\n";
	my $place = 0;
	return map { /^\| \w+ \| `src\/([\w\/.]+?)\/?`/
		? ($1 =~ s/\.rs$//r => $place++) : die "no room in: $_\n" }
		split /\n/, $table;
}

# The room of a module, such as "proto/frame" of "proto/frame/header".

sub room {
	my ($rooms, $module) = @_;
	my @steps = split /\//, $module;
	while (@steps) {
		my $name = join '/', @steps;
		return $name if exists $rooms->{$name};
		pop @steps;
	}
	return;
}

# What a file names with "crate::" or "super::", as modules.

sub uses {
	my ($module, $text) = @_;
	$text =~ s!^\s*//.*!!mg;
	$text =~ s/^mod tests \{.*//ms;
	my @names;
	push @names, map { s/::/\//gr } $text =~ /\bcrate::((?:\w+::)*\w+)/g;
	while ($text =~ /\b((?:super::)+)((?:\w+::)*\w+)/g) {
		my ($up, $name) = (length($1) / length('super::'), $2);
		my @steps = split /\//, $module;
		next if $up > @steps;
		splice @steps, -$up;
		push @names, join '/', @steps, split /::/, $name;
	}
	return @names;
}

# Arrows up: "file: name".

sub arrows {
	my ($rooms, $files) = @_;
	my @arrows;
	for my $file (sort keys %$files) {
		next if $file =~ m!^src/lib\.rs$|_tests\.rs$|_reference\.rs$!;
		my $module = $file =~ s!^src/!!r =~ s!\.rs$!!r;
		# A file of a folder's name belongs to the folder's rooms: it only
		# lists them.
		my $room = room($rooms, $module);
		if (!defined $room) {
			push @arrows, "$file: in no room"
				unless grep { /^\Q$module\E\// } keys %$rooms;
			next;
		}
		for my $name (uses($module, $files->{$file})) {
			my $used = room($rooms, $name) // next;
			push @arrows, "$file: $name"
				if $rooms->{$used} > $rooms->{$room};
		}
	}
	return @arrows;
}

###############################################################################

# This test can fail.

my %house = (a => 0, 'b/c' => 1, d => 2);
for (
	['src/a.rs', 'use crate::b::c::X;', 'src/a.rs: b/c/X'],
	['src/b/c.rs', 'use crate::a;', ''],
	['src/b/c.rs', 'use super::super::d::X;', 'src/b/c.rs: d/X'],
	['src/b/c/x.rs', 'use super::y;', ''],
	['src/d.rs', '// crate::e' . "\nuse crate::a::X;", ''],
	['src/a.rs', "x(crate::d::f());\n", 'src/a.rs: d/f'],
	['src/e.rs', '', 'src/e.rs: in no room'],
) {
	my ($file, $text, $arrows) = @$_;
	is(join(', ', arrows(\%house, {$file => $text})), $arrows, "$file: $text");
}

open my $page, '<', "$FindBin::Bin/../docs/architecture.md" or die "$!\n";
my %rooms = rooms(do { local $/; <$page> });
cmp_ok(keys %rooms, '>=', 8, 'rooms');

my $files = Source::files();
cmp_ok(keys %$files, '>=', 60, 'files');
is(join("\n", arrows(\%rooms, $files)), '', 'no arrow up');

# Nothing is in the table that is not in the tree.

is(join(', ', grep { my $room = $_; !grep { m!^src/\Q$room\E[./]! } keys %$files }
	sort keys %rooms), '', 'every room is there');

done_testing;

###############################################################################

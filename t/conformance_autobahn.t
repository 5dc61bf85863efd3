#!/usr/bin/perl

# Tests for WebSocket: the cases of the Autobahn test suite, all but 12.* and
# 13.* (compression), which take minutes; nginx-build/autobahn --all runs those.
# The slowest of these take 1 second each, which is their pauses.

###############################################################################

use warnings;
use strict;

use FindBin;

use Test::More;

###############################################################################

my $command = "$FindBin::Bin/../nginx-build/autobahn";

# The columns of its table after the section.
my @columns = qw/cases pass non-strict informational unimplemented failed/;

# Its rows by section, its exit status and all it said.

sub autobahn {
	my (@args) = @_;

	open my $pipe, '-|', "exec '$command' @args 2>&1" or die "autobahn: $!\n";
	my $output = join '', <$pipe>;
	close $pipe;

	my %rows = map { /^\s*(\d+|all)\s.*?((?:\s+\d+){6})\s+[\d.]+$/
			? ($1, [split ' ', $2]) : () } split /\n/, $output;

	return (\%rows, $?, $output);
}

# All cases of a section are passed, but for some that are informational.

sub passes {
	my ($rows, $section, $name, $cases, $info) = @_;

	my (%got, %want);
	@got{@columns} = @{$rows->{$section} // []};
	@want{@columns} = ($cases, $cases - ($info // 0), 0, $info // 0, 0, 0);
	is_deeply(\%got, \%want, "$section: $name");
}

###############################################################################

my ($rows, $status, $output) = autobahn('--fast');

is($status, 0, 'fast cases: the command is content, and so is nginx')
	or diag($output);

# Informational are 7.1.6, 7.13.1 and 7.13.2, whatever a server does.

passes($rows, @$_) for (
	['1', 'framing', 16],
	['2', 'pings and pongs', 11],
	['3', 'reserved bits', 7],
	['4', 'opcodes', 10],
	['5', 'fragmentation', 20],
	['6', 'UTF-8', 145],
	['7', 'closing', 37, 3],
	['10', 'auto-fragmentation', 1],
	['all', 'all sections', 247, 3],
);

($rows, $status, $output) = autobahn(q{-t 120 '9.*'});

is($status, 0, 'limits: the command is content, and so is nginx')
	or diag($output);
passes($rows, '9', 'limits', 54);

# And it would tell: here a message of two frames is one frame too long.

($rows, $status, $output) = autobahn('-d', q{'ws_max_fragments 1;'}, '5.3');

is_deeply($rows->{5}, [1, 0, 0, 0, 0, 1], 'a failed case is counted');
like($output, qr/^5\.3 failed\b.*^ +got: +close 1008/ms, 'and explained');
isnt($status, 0, 'and the command fails') or diag($output);

done_testing();

###############################################################################

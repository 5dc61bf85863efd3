package Source;

# The source of the module, found by what is in it: a test that reads it does
# not break when a file moves.

use warnings;
use strict;

use File::Find;

use NginxWs;

###############################################################################

# Path below the top to text.

sub files {
	our %files;
	return \%files if %files;
	my $top = NginxWs::top();
	find({no_chdir => 1, wanted => sub {
		return unless /\.rs$/;
		open my $file, '<', $_ or die "$_: $!\n";
		local $/;
		$files{s!^\Q$top\E/!!r} = <$file>;
	}}, "$top/src");
	return \%files;
}

# The text of the only file that has a match.

sub with {
	my ($pattern) = @_;
	my $files = files();
	my @found = grep { $files->{$_} =~ $pattern } sort keys %$files;
	die "no source has $pattern\n" unless @found;
	die "more than one source has $pattern: @found\n" if @found > 1;
	return $files->{$found[0]};
}

# The text of the files with a name, without their folders.

sub named {
	my (@names) = @_;
	my $files = files();
	return map { my $name = $_; map { $files->{$_} }
		grep { m!/\Q$name\E\.rs$! } sort keys %$files } @names;
}

# Everything but unit tests.

sub all {
	my $files = files();
	return join '', map { $files->{$_} } grep { !/_tests\.rs$/ } sort keys %$files;
}

###############################################################################

1;

#!/usr/bin/perl

# Tests for conf/examples: each file loads, with what it includes, and says what
# it is.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Example;
use Test::More;

###############################################################################

my @names = map { m!([^/]+)\.conf$! } glob "$FindBin::Bin/../conf/examples/*";

is("@names", 'api-gateway channels echo-stack rest-bridge websocket-gateway',
	'the examples');

for my $name (@names) {
	my $t = Example->new($name);
	is($t->loads, 'yes', $name);

	# As many servers as it says, where it says.
	my $conf = $t->read_file('nginx.conf');
	ok($conf =~ /^listen \d/m ? 0 : 1, 'ports') or diag($conf);
}

done_testing();

###############################################################################

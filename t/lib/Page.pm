package Page;

# nginx with conf/nginx.conf and its page, in a prefix as nginx-build/build
# makes it, and a browser that uses the page.

use warnings;
use strict;

use Test::More;

###############################################################################

sub start {
	my ($t) = @_;
	my ($top, $dir, $port) = ($t->top, $t->dir, $t->port);

	mkdir "$dir/$_" for qw/logs tmp modules/;
	symlink $t->{module}, "$dir/modules/libngx_ws.so";
	system('cp', '-R', "$top/conf/html", "$top/target/nginx/conf/mime.types",
		$dir) == 0 or die "cp failed\n";

	open my $file, '<', "$top/conf/nginx.conf" or die "nginx.conf: $!\n";
	my $conf = join '', <$file>;
	$conf =~ s/listen 8080;/listen 127.0.0.1:$port;/ or die "no port 8080\n";
	$conf =~ s{tmp/nginx\.pid}{nginx.pid};
	$conf =~ s{logs/error\.log}{error.log};
	$t->write_file('nginx.conf', "daemon off;\n$conf");

	return $t->start('nginx.conf');
}

# Runs a script of t/clients that prints what t/clients/browser.js says.

sub browse {
	my ($t, $script) = @_;

	binmode Test::More->builder->$_, ':utf8'
		for qw/output failure_output/;
	my $output = $t->client('node', $script,
		'http://127.0.0.1:' . $t->port . '/');
	utf8::decode($output);

	my @lines = split /\n/, $output;
	my $end = pop @lines // 'nothing';

	for (@lines) {
		my ($not, $name, $seen) = /^(not )?ok ([^:]*)(?:: (.*))?$/s;
		ok(defined $name && !$not, $name // 'output') or diag($seen // $_);
	}

	is($end, 'done', 'the script ends');
}

###############################################################################

1;

#!/usr/bin/perl

# Tests for WebSocket: the Debian package, unpacked, installed and removed.
#
# It is installed into an overlay of this system, which needs root.
# TEST_NGINX_SYSTEM=1 installs it into the system itself, and removes it.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Overlay;
use RestClient;
use Test::More;

###############################################################################

plan skip_all => 'not a Debian system' unless -e '/etc/debian_version';

my $top = NginxWs::top();
my $name = 'libnginx-mod-http-ws';

sub package_file {
	local @ENV{qw/DEBFULLNAME DEBEMAIL/} = ('A Packager', 'packager@example.org');
	my $log = qx{'$top/nginx-build/package' 2>&1};
	is($?, 0, 'nginx-build/package') or die $log;

	my @files = glob "$top/target/package/*.deb";
	is(@files, 1, 'one package');
	return $files[0];
}

my $file = package_file();
my $digest = qx{sha256sum '$file'};
package_file();
is(qx{sha256sum '$file'}, $digest, 'the same bytes again');

###############################################################################
# What is in it.

my ($version) = qx{cat '$top/Cargo.toml'} =~ /^version = "(.*)"$/m;
my ($nginx) = qx{/usr/sbin/nginx -v 2>&1} =~ m{nginx/([\d.]+)};
my ($abi) = qx{dpkg-query -W -f '\${Provides}' nginx} =~ /(nginx-abi-[^,\s]+)/;

sub field { return qx{dpkg-deb -f '$file' $_[0]} =~ s/\n\z//r }

is(field('Package'), $name, 'name');
is(field('Version'), "$version-1~nginx$nginx", 'version');
is(field('Section'), 'httpd', 'section');
is(field('Maintainer'), 'A Packager <packager@example.org>', 'maintainer');
is(field('Architecture'), qx{dpkg --print-architecture} =~ s/\n//r,
	'architecture');
like(field('Depends'), qr/(?:^|, )\Q$abi\E(?:,|$)/,
	'fits the ABI of the nginx that is installed');
like(field('Depends'), qr/(?:^|, )libc6 \(>= /, 'depends on libraries');

my $doc = "usr/share/doc/$name";
is(qx{dpkg-deb -c '$file' | awk '\$1 !~ /^d/ {print \$1, \$2, \$6}'}, <<"EOF",
-rw-r--r-- root/root ./usr/lib/nginx/modules/ngx_http_ws_module.so
-rw-r--r-- root/root ./$doc/changelog.Debian.gz
-rw-r--r-- root/root ./$doc/copyright
-rw-r--r-- root/root ./$doc/licenses-of-crates.gz
-rw-r--r-- root/root ./usr/share/nginx/modules-available/mod-http-ws.conf
EOF
	'files');
unlike(qx{dpkg-deb -I '$file'}, qr/conffiles/, 'no conffiles');

SKIP: {
	skip 'no lintian', 1 if system 'command -v lintian > /dev/null';
	my $complaints = qx{lintian --fail-on error,warning '$file' 2>&1};
	is($?, 0, 'lintian') or diag($complaints);
}

###############################################################################
# Unpacked: the module and the line that loads it.

my $t = NginxWs->new(binary => '/usr/sbin/nginx', module => '');
my $d = $t->dir;

is(system('dpkg-deb', '-x', $file, "$d/unpacked"), 0, 'dpkg-deb -x');

# nginx looks for "modules/..." in its prefix; nginx-common has such a link.
symlink 'unpacked/usr/lib/nginx/modules', "$d/modules";

my $servers = <<'EOF';

server {
    listen 127.0.0.1:%%PORT%%;

    location = /ws {
        ws_echo;
    }

    location = /rest {
        ws_rest /api/;
    }

    location = /api/x {
        default_type application/json;
        return 200 '{"x":1}';
    }
}

EOF

sub works {
	my ($name) = @_;
	is($t->ws('/ws')->text('hello')->read, 'text:hello', "$name: echo");
	is(RestClient->open($t, '/rest')->get('/api/x')->{body}{x}, 1,
		"$name: bridge");
	ok($t->stop, "$name: nginx stops");
}

$t->run($servers,
	main => "include $d/unpacked/usr/share/nginx/modules-available/*.conf;");
works('unpacked');

###############################################################################
# Installed.

my $link = '/etc/nginx/modules-enabled/50-mod-http-ws.conf';
my $snippet = '/usr/share/nginx/modules-available/mod-http-ws.conf';
my @in;

# Runs a command in that system; returns what it printed.

sub there {
	my ($command, $name) = @_;
	open my $pipe, '-|', @in, 'sh', '-c',
		"export LC_ALL=C; { $command\n} 2>&1" or die "sh: $!\n";
	my $output = join '', <$pipe>;
	close $pipe;
	is($?, 0, $name) or diag($output);
	return $output;
}

# nginx takes its own configuration, and the link is as told.

sub linked {
	my ($wanted, $name) = @_;
	is(there("/usr/sbin/nginx -q -t && cd /etc/nginx/modules-enabled"
		. " && for i in *mod-http-ws*; do readlink -v \$i && echo \$i; done",
		"$name: nginx -t"), "$snippet\n$wanted\n", "$name: link");
}

# All files of nginx, and those of the package elsewhere.

sub files {
	return there('find /etc/nginx /usr/lib/nginx /usr/share/nginx 2>/dev/null | sort;'
		. ' find /etc /usr /var -xdev -name "*http[-_]ws*" -not -path "/usr/share/nginx/*"'
		. ' -not -path "*/target/*" | sort', 'all files');
}

SKIP: {
	my $overlay = $ENV{TEST_NGINX_SYSTEM} ? undef : Overlay->new($d);
	skip "no overlay, see TEST_NGINX_SYSTEM: $@", 1
		unless $overlay || $ENV{TEST_NGINX_SYSTEM};
	@in = $overlay->command if $overlay;

	system('cp', $file, "$d/package.deb") == 0 or die "cp failed\n";
	my $install = "dpkg -i $d/package.deb";

	my $before = files();
	unlike($before, qr/http-ws|http_ws/, 'is not installed yet');

	there($install, 'dpkg -i');
	linked('50-mod-http-ws.conf', 'installed');
	is(there("dpkg -V $name", 'dpkg -V'), '', 'all of it is there');

	{
		local $ENV{TEST_NGINX_WRAP} = join ' ', @in, $ENV{TEST_NGINX_WRAP} // ();
		unlink "$d/modules";
		symlink '/usr/share/nginx/modules', "$d/modules";
		$t->run($servers, main => 'include /etc/nginx/modules-enabled/*.conf;');
		works('installed');
	}

	there("rm $link; $install && ! readlink $link",
		'who has switched it off keeps it so');
	there("ln -s $snippet $link", 'switched on again');

	there("dpkg -r $name", 'dpkg -r');
	linked('50-mod-http-ws.conf.removed', 'removed');

	there($install, 'dpkg -i after that');
	linked('50-mod-http-ws.conf', 'installed again');

	there("dpkg --purge $name && /usr/sbin/nginx -q -t", 'dpkg --purge');
	is(files(), $before, 'nothing is left');
}

$t->finish;

###############################################################################

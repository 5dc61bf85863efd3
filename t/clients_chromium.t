#!/usr/bin/perl

# Tests for WebSocket: Chromium on the page of conf/nginx.conf.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new;

# The configuration that nginx-build/run and the image use, in a prefix as
# nginx-build/build makes it.

my ($top, $dir, $port) = (NginxWs::top(), $t->dir, $t->port);
mkdir "$dir/$_" for qw/logs tmp modules/;
symlink $t->{module}, "$dir/modules/libngx_ws.so";
system('cp', '-R', "$top/conf/html", "$top/target/nginx/conf/mime.types", $dir)
	== 0 or die "cp failed\n";

open my $file, '<', "$top/conf/nginx.conf" or die "nginx.conf: $!\n";
my $conf = join '', <$file>;
$conf =~ s/listen 8080;/listen 127.0.0.1:$port;/ or die "no port 8080\n";
$conf =~ s{tmp/nginx\.pid}{nginx.pid};
$conf =~ s{logs/error\.log}{error.log};
$t->write_file('nginx.conf', "daemon off;\n$conf");
$t->start('nginx.conf');

###############################################################################

my $health = $t->http("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
is($health->status . $health->body, "200ok\n", '/health');
is($t->ws($_)->text('hello')->read, 'text:hello', $_)
	for qw!/ws /ws-notifications!;

my $output = $t->client('node', 'chromium.js', "http://127.0.0.1:$port/");
is($output, <<'EOF', 'the page');
status open
echo hello
echo Grüße, 世界 😀
text 100000
binary 70000
close 1000 true
EOF

like((grep { m!"GET /ws ! } $t->logged(1, 'logs/access.log'))[0],
	qr/ 101 close=\d+ messages=\d+\/\d+ bytes=\d+\/\d+ seconds=\d+\.\d{3}/,
	'the access log of the configuration');

$t->finish;

###############################################################################

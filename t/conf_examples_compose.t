#!/usr/bin/perl

# Tests for compose.yaml: what it promises the container holds for nginx with
# conf/examples/echo-stack.conf, without a container: as a user that is not
# root, and writes only where the container can.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Example;
use File::Copy qw/copy/;
use JSON::PP;
use Test::More;

###############################################################################

my $t = Example->new('echo-stack');
my ($top, $dir) = (NginxWs::top(), $t->dir);

my $json = $t->client('python', '-c', <<'EOF2', "$top/compose.yaml");
import json, sys, yaml
print(json.dumps(yaml.safe_load(open(sys.argv[1]))))
EOF2
my $compose = decode_json($json);

is(join(',', keys %{$compose->{services}}), 'echo', 'one service');
my $echo = $compose->{services}{echo};
my $limits = $echo->{deploy}{resources}{limits};

# Compose itself, where it is.

for (['docker', 'compose'], ['docker-compose']) {
	my @compose = @$_;
	next if system("@compose version >/dev/null 2>&1");
	is(system("@compose -f '$top/compose.yaml' config -q"), 0, "@compose");
}

# The files that it names.

my ($from, $to, $mode) = split /:/, $echo->{volumes}[0];
is("$to $mode", '/etc/nginx/nginx.conf ro', 'the configuration');
is($from, './conf/examples/echo-stack.conf', 'is the example');
ok(-f "$top/$from", 'which is there');
is($echo->{build}{context}, '.', 'the image is built here');
ok(-f "$top/Dockerfile", 'from the Dockerfile');

my $dockerfile = do { local (@ARGV, $/) = "$top/Dockerfile"; <> };
like($dockerfile, qr/^ARG $_\b/m, "build argument $_")
	for sort keys %{$echo->{build}{args}};

my %argument = $dockerfile =~ /^ARG (\w+)=(\S*)$/mg;
my ($tested) = qx{'$t->{binary}' -v 2>&1} =~ m!nginx/([\d.]+)!;
is($echo->{build}{args}{NGINX_VERSION}, "\${NGINX_VERSION:-$tested}",
	'with the nginx of the tests');
is((grep { /^FROM \$\{NGINX_IMAGE\}/ } split /\n/, $dockerfile), 2,
	'both stages are the same image');
is($argument{NGINX_IMAGE}, 'nginx:${NGINX_VERSION}-alpine', 'of that version');

my ($label) = $dockerfile =~ /^LABEL ((?:.*\\\n)*.*)$/m;
my %label = ($label // '') =~ /org\.opencontainers\.image\.(\w+)="([^"]*)"/g;
is(join(' ', sort keys %label), 'description licenses revision title version',
	'labels');
my ($version) = do { local (@ARGV, $/) = "$top/Cargo.toml"; <> }
	=~ /^version = "(.*)"$/m;
is($label{version} =~ s/\$\{(\w+)\}/$argument{$1}/r, $version,
	'the version of the module');
unlike($dockerfile, qr/password|secret|token|credential/i, 'no secrets');
like($dockerfile, qr/^USER (?!root|0)\w+\nEXPOSE 8080\nHEALTHCHECK /m,
	'not root, port, check');

# A prefix like that of the image: tmp and logs are somewhere else, and the
# only places that can be written to.

is_deeply([grep { !m!^/tmp:! } @{$echo->{tmpfs}}], [], 'memory at /tmp only');
ok($echo->{read_only}, 'the rest is read-only');
like($dockerfile, qr!ln -s /tmp /etc/nginx/tmp!, 'tmp is there');

unlink "$dir/modules/libngx_ws.so";
copy($t->{module}, "$dir/modules/libngx_ws.so") or die "copy: $!\n";
copy($t->{binary}, "$dir/nginx") or die "copy: $!\n";
chmod 0755, "$dir/nginx";

my ($user) = $echo->{user} =~ /^(\d+):/;
isnt($user, 0, 'not root');
$user = 65534;	# the image's user need not exist here

my $as_user = $> ? '' : "setpriv --reuid=$user --regid=$user --clear-groups"
	. ' --no-new-privs --bounding-set=-all';
$t->write_file('run', "#!/bin/sh\nexec $as_user"
	. " prlimit --nofile=$echo->{ulimits}{nofile} '$dir/nginx' \"\$\@\"\n");
$t->{binary} = "$dir/run";

$t->write_file('error.log', '');
$t->write_file('logs/access.log', '');
chmod 0777, $dir . '/tmp';
chmod 0666, map { "$dir/$_" } 'error.log', 'logs/access.log';
chmod 0444, grep { -f } glob "$dir/*.{conf,types} $dir/snippets/*";
chmod 0555, "$dir/run", "$dir/snippets", "$dir/modules", "$dir/logs", $dir;

$t->go;
END { chmod 0755, grep { $_ && -d } $dir, map { "$dir/$_" } qw/snippets modules logs/ if $dir }

###############################################################################

$t->wait_for(sub { $t->workers == $limits->{cpus} });
my @processes = ($t->master, $t->workers);
is(scalar $t->workers, $limits->{cpus}, 'a worker for each CPU');
cmp_ok(@processes, '<', $echo->{pids_limit}, 'few enough');

for (@processes) {
	open my $status, '<', "/proc/$_/status";
	my %status = map { /^(\w+):\s+(.*)/ } <$status>;
	is((split ' ', $status{Uid})[1], $> || $user, 'not run by root');
	is(hex $status{CapEff}, 0, 'no capabilities') unless $>;
	is($status{NoNewPrivs}, 1, 'no new privileges') unless $>;
}

# Its healthcheck, and its port.

my ($kind, @check) = @{$echo->{healthcheck}{test}};
is("$kind $check[0]", 'CMD wget', 'the healthcheck');
my ($port) = $check[-1] =~ m!^http://127\.0\.0\.1:(\d+)/!;
is($echo->{ports}[0], "\${PORT:-8080}:$port", 'the port that is published');
is_deeply($echo->{expose}, [9145], 'the port that is not');
my $number = $t->port($port);
$check[-1] =~ s/:$port\b/:$number/;
is(system(@check), 0, 'healthy');

is($t->ws($port, '/ws')->text('hello')->message, 'text:hello', 'echo');

# Memory: an address with all its sockets and the largest messages under way.

my @sockets = map { $t->ws($port, '/ws', local => '127.0.0.2') } 1 .. 20;
$_->frame(WsClient::BINARY, 'x' x ((1 << 20) - 1), fin => 0) for @sockets;
$_->ping('')->read for @sockets;
my $kilobytes = 0;
$kilobytes += $t->rss($_) for @processes;
my ($megabytes) = $limits->{memory} =~ /^(\d+)M$/;
cmp_ok($kilobytes, '<', $megabytes * 1024 / 2, 'half of the memory');
diag("$kilobytes kB") if $ENV{TEST_VERBOSE};
$_->hang_up for @sockets;

# It stops by the image's signal, within the time that it has.

is($echo->{stop_signal}, 'SIGQUIT', 'the signal');
my ($grace) = $echo->{stop_grace_period} =~ /^(\d+)s$/;
my ($drain, $close) = map { $t->read_file('nginx.conf') =~ /$_ (\d+)s;/ }
	qw/ws_drain ws_close_timeout/;
cmp_ok($drain + $close, '<', $grace, 'sockets get less time');

my $s = $t->ws($port, '/ws');
$t->signal('QUIT');
$t->closes($s, 1001, 'told to leave');
ok($t->stopped($grace), 'stopped');

$t->finish;

###############################################################################

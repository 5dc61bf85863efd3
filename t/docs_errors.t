#!/usr/bin/perl

# Tests for the documentation: errors that README.md and docs/ quote, and that
# are not said by "nginx -t" (t/docs_readme.t has those), are really printed.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Open2;
use NginxWs;
use Source;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

limit_conn_zone $binary_remote_addr zone=sockets:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location = / {
        default_type text/html;
        return 200 page;
    }

    location /ws {
        ws_rest /api/;
    }

    location /one {
        ws_echo;
        limit_conn sockets 1;
    }

    location /proxied {
        proxy_pass http://127.0.0.1:%%PORT%%/ws;
    }
}

EOF

my ($top, $port) = ($t->top, $t->port);
my $at = "127.0.0.1:$port";

sub slurp {
	my ($name) = @_;
	open my $file, '<:raw', $name =~ /^\// ? $name : "$top/$name"
		or die "$name: $!\n";
	local $/;
	return <$file>;
}

# Quotations may be broken into lines.
my %page = map { $_ => slurp($_) =~ s/\s+/ /gr }
	qw!README.md docs/operations.md docs/configurations.md!;

sub quoted {
	my ($text, $page) = @_;
	$page //= 'README.md';
	like($page{$page}, qr/`[^`]*\Q$text\E[^`]*`/, "$page quotes: $text");
}

sub quoted_and_said {
	my ($text, $said, $name) = @_;
	quoted($text);
	like($said, qr/\Q$text\E/, "said: $name");
}

###############################################################################
# Clients that cannot connect: wscat, and what the error log says.

sub wscat {
	my ($url, @arguments) = @_;
	my $wscat = "$top/target/clients/node_modules/.bin/wscat";
	# It leaves when its input ends, so that stays open.
	open2(my $output, my $input, "exec '$wscat' @arguments -c '$url' 2>&1");
	local $/;
	return <$output>;
}

quoted_and_said('Unexpected server response: 426', wscat("ws://$at/proxied"),
	'a proxy without Upgrade');

my $foreign = wscat("ws://$at/ws", '-o', 'http://elsewhere.example');
quoted_and_said('Unexpected server response: 403', $foreign, 'a foreign page');
my $refused = 'websocket: origin "http://elsewhere.example" is not allowed';
quoted($refused);
like($t->error_log, qr/\[error\] .*\Q$refused\E/, 'and why');

my $key = 'Sec-WebSocket-Key: c2hvcnQ=';
is($t->http("GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
	. "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n$key\r\n\r\n")->status,
	400, 'a malformed handshake');
quoted('Unexpected server response: 400');
like($t->error_log, qr/\[info\] .*websocket: [^\n]*Sec-WebSocket-Key/i, 'and why');

quoted_and_said('Unexpected server response: 404', wscat("ws://$at/other"),
	'another location');

my $s = $t->ws('/one');
quoted_and_said('Unexpected server response: 503', wscat("ws://$at/one"),
	'limit_conn');

quoted_and_said('connect ECONNREFUSED',
	wscat('ws://127.0.0.1:' . $t->port('nobody')), 'nobody listens');
quoted_and_said('wrong version number', wscat("wss://$at/one"), 'no TLS');

my $console = $t->client('node', 'page_refused.js', "http://$at/", "ws://$at/proxied");
quoted_and_said('Error during WebSocket handshake: Unexpected response code: 426',
	$console, 'by Chromium');

###############################################################################
# Errors of a start.

# A second nginx at the same port gives up after five attempts.

$t->write_file('second.conf', <<"EOF");
load_module $t->{module};
pid @{[$t->dir]}/second.pid;
events {}
http { access_log off; server { listen $at; } }
EOF
my $second = qx{'$t->{binary}' -p '@{[$t->dir]}' -e stderr -c second.conf 2>&1};
like($second, qr/bind\(\) to \Q$at\E failed \(98: Address already in use\)/,
	'said: an address in use');
quoted('bind() to 0.0.0.0:8080 failed (98: Address already in use)');

# Descriptors.

my ($limit) = qx{bash -c 'ulimit -Hn'} =~ /^(\d+)/;
SKIP: {
	skip 'no limit of descriptors here', 1 unless $limit;
	my $more = $limit + 1;
	like(($t->config_test('', events => "worker_connections $more;"))[1],
		qr/$more worker_connections exceed open file resource limit: \d+/,
		'said: too few descriptors');
}
quoted('100000 worker_connections exceed open file resource limit: 20000',
	'docs/operations.md');

like(($t->config_test('server { listen 127.0.0.1:' . $t->port('other')
	. '; location / { proxy_set_header Connection $connection_upgrade; } }'))[1],
	qr/unknown "connection_upgrade" variable/, 'said: no map');
quoted('unknown "connection_upgrade" variable', 'docs/configurations.md');

# What the loader says of a symbol that nginx lacks: the module wants these.

my $module = slurp($t->{module});
for my $symbol ($page{'README.md'} =~ /`(?:undefined symbol: )?(ngx_\w+)`/g) {
	like($module, qr/\0\Q$symbol\E\0/, "the module needs $symbol");
}
quoted('undefined symbol: ngx_ssl_free_buffer');

###############################################################################
# Errors of nginx that a test should not cause: its source has them.

my $source = join '', map { slurp("target/nginx/source/src/$_") }
	qw!os/unix/ngx_process.c core/ngx_connection.c!;

for (['worker process 3889 exited on signal 11', '%s %P exited on signal %d'],
	['512 worker_connections are not enough',
		'%ui worker_connections are not enough'])
{
	my ($text, $format) = @$_;
	quoted($text);
	like($source, qr/"\Q$format\E/, "nginx says: $format");
}

###############################################################################
# What ends sockets.

$s->write("\x81\x00");
$t->closes($s, 1002, 'no mask');
like($t->error_log, qr/\[info\] .*websocket: client error: frame not masked, closing with 1002/,
	'said: frame not masked');
quoted('websocket: client error: frame not masked, closing with 1002',
	'docs/operations.md');

my $variables = Source::all();
for my $reason ($page{'README.md'} =~ /\| 10\d\d `([^`]+)`/g) {
	like($variables, qr/"\Q$reason\E"/, "a reason: $reason");
}

###############################################################################
# Errors of the build.

# Of old versions of cargo, which are not here: they cannot read these two.

my $manifest = slurp('Cargo.toml');
quoted('profile.release.debug');
like($manifest, qr/^debug = "[\w-]+"$/m, 'it is a word');
quoted('edition2024');
like($manifest, qr/^edition = "2024"$/m, 'it is the edition');

my ($rust) = $manifest =~ /^rust-version = "(.*)"$/m;
quoted("requires rustc $rust");
mkdir $t->dir . '/crate';
$t->write_file('crate/lib.rs', '');
$t->write_file('crate/Cargo.toml', <<'EOF');
[package]
name = "future"
version = "0.1.0"
edition = "2024"
rust-version = "1.999"

[lib]
path = "lib.rs"
EOF
my $cargo = 'PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin" cargo';
like(scalar qx{$cargo check --offline --manifest-path '@{[$t->dir]}/crate/Cargo.toml' 2>&1},
	qr/future\@0\.1\.0 requires rustc 1\.999/, 'said: an older Rust');

quoted('Unable to find libclang');
my @bindgen = glob(($ENV{CARGO_HOME} // "$ENV{HOME}/.cargo")
	. '/registry/src/*/bindgen-*/lib.rs');
ok((grep { slurp($_) =~ /"Unable to find libclang"/ } @bindgen),
	'bindgen says it');

$t->finish;

###############################################################################

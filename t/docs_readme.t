#!/usr/bin/perl

# Tests for the documentation: README.md says what happens.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;

sub slurp {
	my ($name) = @_;
	open my $file, '<:raw', $name =~ /^\// ? $name : $t->top . "/$name"
		or die "$name: $!\n";
	local $/;
	return <$file>;
}

my $readme = slurp('README.md');
# Quotations may be broken into lines.
my $flat = $readme =~ s/\s+/ /gr;

sub quotes { my ($text) = @_; like($flat, qr/\Q$text\E/, "quoted: $text") }

###############################################################################
# The examples.

my @examples = $readme =~ /^```nginx\n(.*?)^```$/msg;
is(@examples, 2, 'two examples');

RestClient::backend($t);

for (@examples) {
	s/listen 8080;/listen 127.0.0.1:%%PORT%%;/;
	s/127\.0\.0\.1:9000/127.0.0.1:%%PORT_backend%%/;
}

$t->run($examples[0]);
is($t->ws('/ws')->text('hello')->read, 'text:hello', 'the echo');
ok($t->stop, 'stop');

$t->run($examples[1]);
my ($call) = $readme =~ /`(\{"id":1,"path":"[^`]+)`/;
my $reply = RestClient->open($t)->call($call);
is("$reply->{id} $reply->{status} $reply->{body}{target}", '1 200 /api/users/7',
	'the bridge');
ok($t->stop, 'stop');

# What nginx-build/run serves, without the folders of its prefix.

my ($served) = slurp('conf/nginx.conf') =~ /^http \{\n(.*)^\}\s*$/ms;
$served =~ s/listen 8080;/listen 127.0.0.1:%%PORT%%;/;
$served =~ s/\blogs\//%%TESTDIR%%\//g;
$served =~ s/^ *(?:include mime|\w+_temp_path) ?.*\n//mg;

$t->run($served);
my ($path, $sent, $got) = $readme =~ m!^\$ wscat -c ws://localhost:8080(/rest)
Connected .*
> (.*)
< (.*)$!m;
is(RestClient->open($t, $path)->raw($sent), $got, 'the bridge of run');
($path, $sent, $got) = $readme =~ m!^\$ wscat -c ws://localhost:8080(/ws)
Connected .*
> (.*)
< (.*)$!m;
is($t->ws($path)->text($sent)->read, "text:$got", 'the echo of run');

# The clients in other languages.

sub program {
	my ($language) = @_;
	my ($text) = $readme =~ /^```$language\n(.*?)^```$/ms
		or die "no example in $language\n";
	$text =~ s/localhost:8080/'127.0.0.1:' . $t->port/e or die "no port\n";
	return $text;
}

# As Node 22 and browsers have it.
my $globals = "globalThis.WebSocket ??= require('ws');\n";
my %client = (python => ['venv/bin/python', '', qr/^\{"id":1,"status":200,.*"time":/],
	js => ['node', $globals, qr/^hello$/]);

for my $language (sort keys %client) {
	my ($command, $before, $prints) = @{$client{$language}};
	my $file = $t->write_file("client.$language", $before . program($language));
	my $clients = $t->top . '/target/clients';
	local $ENV{NODE_PATH} = "$clients/node_modules";
	$command = "$clients/$command" if $command =~ /\//;
	like(scalar qx{'$command' '$file' 2>&1}, $prints, "the client in $language");
}

###############################################################################
# Errors of "nginx -t", quoted.

sub says {
	my ($conf, $quotation, $name) = @_;
	$t->write_file('quoted.conf', "pid %%PID%%;\n$conf" =~ s/%%PID%%/$t->dir
		. '\/quoted.pid'/er);
	my $output = qx{'@{[$t->{binary}]}' -t -p '@{[$t->dir]}' \\
		-e stderr -c quoted.conf 2>&1};
	like($output, qr/\Q$quotation\E/, $name);
}

my $module = $t->{module};
my $load = "load_module $module;";
my $echo = 'events {} http { server { listen 127.0.0.1:' . $t->port
	. '; location /ws { ws_echo; OTHER } } }';

sub quoted_and_said {
	my ($conf, $quotation) = @_;
	$conf =~ s/OTHER//;
	quotes($quotation);
	says($conf, $quotation, "said: $quotation");
}

quoted_and_said($echo, 'unknown directive "ws_echo"');
quoted_and_said("events {} http {} $load",
	'"load_module" directive is specified too late');
quoted_and_said("$load $load events {}",
	'module "ngx_http_ws_module" is already loaded');
quoted_and_said($load . $echo =~ s/OTHER/proxy_pass http:\/\/127.0.0.1:1;/r,
	'"ws_echo" directive conflicts with another content handler of this'
	. ' location');
says('load_module modules/missing.so; events {}', 'missing.so: cannot open'
	. ' shared object file: No such file or directory', 'no such file');
quotes('cannot open shared object file: No such file or directory');

# A module for another nginx: the same one with other numbers in it.

my $bytes = slurp($module);
my ($major, $minor, $patch) = qx{'@{[$t->{binary}]}' -v 2>&1}
	=~ m!/(\d+)\.(\d+)\.(\d+)!;
my $version = $major * 1000000 + $minor * 1000 + $patch;

my $count = (my $older = $bytes) =~ s/\Q@{[pack 'Q<', $version]}\E/pack 'Q<',
	1022001/ge;
cmp_ok($count, '>=', 1, 'the version is in the file');
says('load_module ' . $t->write_file('older.so', $older) . '; events {}',
	"older.so\" version 1022001 instead of $version", 'another version');
like($flat, qr/libngx_ws\.so" version 1028003 instead of 1022001/,
	'quoted: version');

$count = (my $other = $bytes) =~ s/(\d,\d,\d,[01]{30,})/$1 =~ tr!01!10!r/ge;
cmp_ok($count, '>=', 1, 'the signature is in the file');
says('load_module ' . $t->write_file('other.so', $other) . '; events {}',
	'other.so" is not binary compatible', 'another configuration');
quotes('libngx_ws.so" is not binary compatible');

###############################################################################
# What the scripts need and are.

my ($packages) = slurp('nginx-build/common.sh') =~ /^build_packages="(.*)"$/m;
like($readme, qr/^apt-get install \Q$packages\E$/m, 'packages');

my ($rust) = slurp('Cargo.toml') =~ /^rust-version = "(.*)"$/m;
is(join(' ', sort { $a <=> $b } keys %{{map { $_ => 1 }
	$readme =~ /\b(1\.\d+) or (?:newer|more)/g}}), $rust, 'version of Rust');

my %scripts = map { $_ => 1 } $readme =~ m!\b(nginx-build/[\w-]+)!g;
ok(-x $t->top . "/$_", $_) for sort keys %scripts;
cmp_ok(keys %scripts, '>=', 6, 'number of scripts');

quotes("nginx's configure and make need a folder without spaces");
like(slurp('nginx-build/common.sh'),
	qr/nginx's configure and make need a folder without spaces/, 'said');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: nginx and the module are replaced on the fly (USR2).

###############################################################################

use warnings;
use strict;

use File::Copy qw/copy/;
use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use NginxWs;
use RestClient;
use Test::More;

###############################################################################

use constant PR_SET_CHILD_SUBREAPER => 36;
use constant SYS_PRCTL => 157;

# nginx takes USR2 only as a daemon.  Its masters become our children, although
# others have started them.
plan(skip_all => 'no prctl') if qx/uname -sm/ ne "Linux x86_64\n";
syscall(SYS_PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
	or die "prctl: $!\n";

my $t = NginxWs->new;
my $d = $t->dir;
RestClient::backend($t);

# Puts files in place as a package does: new ones, by a rename.

sub install {
	for (['nginx', NginxWs::binary()], ['ws.so', NginxWs::module()]) {
		my ($name, $from) = @$_;
		copy($from, "$d/$name.new") or die "copy: $!\n";
		chmod 0755, "$d/$name.new";
		rename "$d/$name.new", "$d/$name" or die "rename: $!\n";
	}
}

install();
@$t{qw/binary module/} = ("$d/nginx", "$d/ws.so");

my $conf = $t->configuration(<<'EOF');

ws_zone counts 64k;

server {
    listen 127.0.0.1:%%PORT%%;
    ws_drain 400ms;
    ws_zone counts;

    location /ws {
        ws_echo;
    }

    location /rest {
        ws_rest /api/;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /pid {
        return 200 $pid;
    }

    location /status {
        ws_status json;
    }
}

EOF

$t->write_file('nginx.conf', $conf =~ s/daemon off/daemon on/r);
is(system("'$d/nginx' -p '$d/' -c nginx.conf -e '$d/error.log'"
	. " 2>>'$d/stderr.log'"), 0, 'nginx starts');
$t->wait_for(sub { $t->workers }) or die "nginx did not start\n";

# The master that the harness deals with; the others are killed at the end of
# a test that dies.
my %masters = (($t->{pid} = $t->master) => 1);

END {
	my $status = $?;
	kill 'KILL', map { (children($_), $_) } keys %masters;
	$? = $status;
}

###############################################################################

sub children {
	open my $file, '<', "/proc/$_[0]/task/$_[0]/children" or return;
	return split ' ', <$file> // '';
}

sub get {
	my ($path) = @_;
	return $t->http("GET $path HTTP/1.1\r\nHost: localhost\r\n"
		. "Connection: close\r\n\r\n")->body;
}

# A socket is closed by its worker, and answers.

sub leaves {
	my ($s, $name) = @_;
	my $close = join ' ', $s->read_close;
	is("$close, " . $s->close(1001)->end, '1001 going away, eof', $name);
}

my $old_master = $t->master;
my ($old) = $t->workers;
my @echo = map { $t->ws('/ws') } 1 .. 20;
my @rest = map { RestClient->open($t, '/rest') } 1 .. 3;

install();
$t->signal('USR2');
ok($t->wait_for(sub { ($t->master // $old_master) != $old_master
	&& $t->workers }), 'the new binary runs')
	or diag($t->error_log);
my $new_master = $t->master;
$masters{$new_master} = 1;
my ($new) = $t->workers;

my %maps = map { $_ => do { open my $f, '<', "/proc/$_/maps"; local $/; <$f> } }
	$old, $new;
like($maps{$old}, qr!\Q$d\E/ws\.so \(deleted\)!, 'the old module in the old');
unlike($maps{$new}, qr!\Q$d\E/\S+ \(deleted\)!,
	'the new binary and module in the new');

# Both serve, old sockets among them.

is($_->text('both')->read, 'text:both', 'an old socket echoes') for @echo[0, 1];
is($_->status_of('/api/x?body='), 200, 'and calls') for @rest;

# The old workers leave.

$_->send({id => 'last', path => '/api/slow?body=done&delay=600'}) for @rest;
RestClient::wait_seen($t, 'GET /api/slow?body=done&delay=600', 3);
kill 'WINCH', $old_master;
$t->wait_for(sub { $t->error_log =~ /\b$old#\d+: gracefully shutting down/ });

my %pids = map { get('/pid') => 1 } 1 .. 20;
is(join(' ', keys %pids), $new, 'new connections go to the new worker');
my $s = $t->ws('/ws');
is($s->text('new')->read, 'text:new', 'which echoes');

is((grep { $_->read ne 'close:1001 going away' } @echo), 0,
	'old sockets get 1001');
is((grep { $_->close(1001)->end ne 'eof' } @echo), 0, 'and end');

for my $r (@rest) {
	my $reply = $r->decoded;
	is("$reply->{id} $reply->{status} " . ($reply->{body} // ''),
		'last 200 done', 'the call under way is answered');
	leaves($r, 'then the close');
}

ok($t->gone($old, 3), 'the old worker leaves');
is(join(' ', children($old_master)), $new_master,
	'the old master has the new one and no worker');

# And its master.

kill 'QUIT', $old_master;
ok($t->stopped(5), 'the old master leaves');
is($t->{status}, 0, 'with 0');
delete $masters{$old_master};

$t->{pid} = $new_master;

is(join(' ', $t->master, $t->workers), "$new_master $new", 'the new one stays');
ok(!-e "$d/nginx.pid.oldbin", 'no pid file of the old one');
is($s->text('still')->read, 'text:still', 'its socket stays');
is($t->ws('/ws')->text('more')->read, 'text:more', 'and others come');

my $counts = decode_json(get('/status'))->{counts};
is($counts->{sockets}{total}, 2, 'its counters are its own');

# It reloads as any other.

$s->text('x')->read;
my ($worker) = $t->reload;
leaves($s, 'a reload of the new one');
ok($t->gone($worker, 3), 'which ends its worker');
is($t->ws('/ws')->text('end')->read, 'text:end', 'and starts another');

my ($last) = $t->workers;
$t->stop;
ok(!-e "/proc/$_", "nothing is left of $_")
	for $old_master, $old, $new, $last, $new_master;
%masters = ();

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: a mirror that fails beside a socket leaves it alone.

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
RestClient::backend($t);

$t->run(<<'EOF');

log_format code "$uri $status $ws_close_code $ws_messages_in";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    ws_drain 200ms;

    location = /none      { ws_echo; }
    location = /forbidden { ws_echo; mirror /returns/403; }
    location = /closed    { ws_echo; mirror /returns/444; }
    location = /missing   { ws_echo; mirror /nowhere; }
    location = /dead      { ws_echo; mirror /dead/upstream; }
    location = /fails     { ws_echo; mirror /backend?status=500&body=; }
    location = /works     { ws_echo; mirror /backend?body=x; }
    location = /hangs     { ws_echo; mirror /backend?fault=hang; }
    location = /two       { ws_echo; mirror /returns/403; mirror /returns/444; }

    location = /returns/403 { internal; return 403; }
    location = /returns/444 { internal; return 444; }
    location /dead/ { internal; proxy_pass http://127.0.0.1:%%PORT_dead%%; }
    location /backend { internal; proxy_pass http://127.0.0.1:%%PORT_backend%%; }
}

server {
    listen 127.0.0.1:%%PORT_inherited%%;

    ws_drain 200ms;
    mirror /refused;

    location = /inherited { ws_echo; }
    location = /refused   { internal; deny all; }
}

EOF

###############################################################################

my @paths = qw!/none /forbidden /closed /missing /dead /fails /works /hangs /two
	/inherited!;

sub sockets {
	return map { $t->ws($_, port => $t->port($_ eq '/inherited'
		? 'inherited' : undef)) } @paths;
}

# What each says, one after the other.

sub all {
	my ($name, $expected, $code, @sockets) = @_;
	for my $i (0 .. $#paths) {
		is(scalar $code->($sockets[$i]), $expected, "$paths[$i]: $name");
	}
}

local $WsSocket::patience = 3;

# One after the other, as each must be alive when all mirrors have ended.

my @sockets = sockets();
ok($t->wait_for(sub { $t->error_log =~ /connect\(\) failed/ }),
	'the dead upstream is found dead');
ok(RestClient::wait_seen($t, qr/^a/, 2), 'the others have ended');
all('echo', 'text:hello', sub { $_[0]->text('hello')->read }, @sockets);
all('another', 'text:again', sub { $_[0]->text('again')->read }, @sockets);
all('close', 'close:1000 eof',
	sub { join ' ', $_[0]->close(1000)->read, $_[0]->end }, @sockets);

# A client that just leaves is noticed.

@sockets = sockets();
$_ % 2 ? $sockets[$_]->reset : $sockets[$_]->hang_up for 0 .. $#sockets;
$t->wait_for(sub { (grep { / 1006 0$/ } $t->access_log) >= @paths }, 3);
my @log = $t->access_log;
for my $path (@paths) {
	is(join(', ', grep { m!^$path ! } @log),
		"$path 101 1000 2, $path 101 1006 0", "$path: log");
}

# A reload finds them, and nothing is left behind.

@sockets = sockets();
my ($old) = $t->reload;
all('reload', 'close:1001 going away eof',
	sub { join ' ', $_[0]->read, $_[0]->close(1001)->end }, @sockets);
ok($t->gone($old, 3), 'the old worker is gone');

$t->finish;

###############################################################################

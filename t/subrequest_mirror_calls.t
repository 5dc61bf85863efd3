#!/usr/bin/perl

# Tests for ws_rest: a mirror that fails beside a socket with calls leaves both
# alone.

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

server {
    listen 127.0.0.1:%%PORT%%;

    ws_drain 200ms;

    location = /forbidden { ws_rest /api/; mirror /returns/403; }
    location = /closed    { ws_rest /api/; mirror /returns/444; }
    location = /dead      { ws_rest /api/; mirror /dead/upstream; }
    location = /late      { ws_rest /api/; mirror /backend?delay=300&status=500; }
    location = /lost      { ws_rest /api/; mirror /backend?delay=300&fault=drop; }

    location = /returns/403 { internal; return 403; }
    location = /returns/444 { internal; return 444; }
    location /dead/ { internal; proxy_pass http://127.0.0.1:%%PORT_dead%%; }
    location = /backend {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/ { proxy_pass http://127.0.0.1:%%PORT_backend%%; }
}

server {
    listen 127.0.0.1:%%PORT_inherited%%;

    ws_drain 200ms;
    mirror /refused;

    location = /inherited { ws_rest /api/; }
    location = /refused   { internal; return 403; }
    location /api/ {
        mirror off;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

my @paths = qw!/forbidden /closed /dead /late /lost /inherited!;

sub sockets {
	return map { RestClient->open($t, $_, port => $t->port($_ eq '/inherited'
		? 'inherited' : undef)) } @paths;
}

local $WsSocket::patience = 4;

my @sockets = sockets();

for my $i (0 .. $#paths) {
	is($sockets[$i]->status_of('/api/?body=x'), 200, "$paths[$i]: a call");
}

# A call is under way while the late mirrors end, and during a reload.

$_->send({id => 1, path => '/api/slow?body=done&delay=1500'}) for @sockets;
ok(RestClient::wait_seen($t, qr!^GET /api/slow!, scalar @paths),
	'calls are under way');
my ($old) = $t->reload;

for my $i (0 .. $#paths) {
	my $s = $sockets[$i];
	is($s->decoded->{body} // 'no reply', 'done',
		"$paths[$i]: a call over a reload");
	is(join(' ', $s->read, $s->close(1001)->end),
		'close:1001 going away eof', "$paths[$i]: and the close");
}

ok($t->gone($old, 3), 'the old worker is gone');

# A client that leaves takes its call along.

@sockets = sockets();
my $aborted = grep { $_ eq 'aborted' } RestClient::seen($t);
$_->send({id => 1, path => '/api/gone?fault=hang'}) for @sockets;
ok(RestClient::wait_seen($t, qr!^GET /api/gone!, scalar @paths),
	'calls that hang');
$_ % 2 ? $sockets[$_]->reset : $sockets[$_]->hang_up for 0 .. $#sockets;
ok($t->wait_for(sub {
	my @seen = RestClient::seen($t);
	return (grep { /^[A-Z]/ } @seen) == grep { /^a/ } @seen;
}, 4), 'end with their clients');

$t->finish;

###############################################################################

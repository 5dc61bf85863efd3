#!/usr/bin/perl

# Tests for ws_rest: with ws_order strict, a 429 does not wait for what runs on
# behind an answer.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

ws_message_zone $arg_key zone=z:64k rate=1r/m;

server {
    listen 127.0.0.1:%%PORT%%;

    ws_order strict;

    location = /rate   { ws_rest /; ws_message_rate 1r/m reject; }
    location = /shared { ws_rest /; ws_message_limit zone=z reject; }

    location = /mirrored {
        mirror /hang;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location = /followed {
        post_action /hang;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location = /hang {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%/hang?fault=hang&rest=;
    }
}

EOF

###############################################################################

local $WsSocket::patience = 4;

# The first call is answered; the second is one too many, and so on.

for my $at ('/rate', '/shared') {
	for my $path ('/mirrored', '/followed') {
		my $name = "$at $path";
		my $hung = grep { /^GET .hang/ } RestClient::seen($t);
		my $s = RestClient->open($t, "$at?key=$path");
		is($s->get("$path?body=x")->{status}, 200, "$name: a call");
		ok(RestClient::wait_seen($t, qr/^GET .hang/, $hung + 1),
			"$name: something runs on");

		for my $n (2 .. 4) {
			my $start = time;
			my $reply = $s->call({id => $n, path => "$path?body=x"});
			is("$reply->{status} " . ($reply->{id} // 'no reply'), "429 $n",
				"$name: call $n is one too many");
			cmp_ok(time - $start, '<', 1 * $NginxWs::slow, "$name: at once");
		}

		is($s->send('{')->decoded->{status}, 429, "$name: whatever it says");
	}
}

# All in one packet: one is answered, the others are refused behind it, in order.

my $s = RestClient->open($t, '/rate');
my $start = time;
$s->write(join '', map { WsFrame::encode(1,
	qq/{"id":$_,"path":"\/mirrored?body=&delay=300"}/) } 1 .. 5);
is(join(', ', map { my $r = $s->decoded; ($r->{id} // '?') . " $r->{status}" }
	1 .. 5), '1 200, 2 429, 3 429, 4 429, 5 429', 'in one packet');
cmp_ok(time - $start, '>=', 0.25, 'not before the answer');
cmp_ok(time - $start, '<', 2 * $NginxWs::slow, 'but right behind it');

$t->finish;

###############################################################################

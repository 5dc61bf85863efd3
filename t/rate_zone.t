#!/usr/bin/perl

# Tests for WebSocket: ws_message_zone, a rate that sockets of all workers share.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', workers => 2);

ws_message_zone $arg_user zone=users:64k rate=1r/m;

server {
    listen 127.0.0.1:%%PORT%% reuseport;

    ws_message_limit zone=users burst=3;

    location /rest  { ws_rest /api/; }
    location /echo  { ws_echo; ws_message_limit zone=users burst=3 close; }
    location /other { ws_rest /api/; ws_message_limit zone=users burst=5; }
    location /api/  { default_type text/plain; return 200 ok; }
}

EOF

###############################################################################

sub calls {
	my ($n, @sockets) = @_;
	my @status;
	for (1 .. $n) {
		my $s = $sockets[$_ % @sockets];
		push @status, $s->text('{"path":"/api/"}')->read =~ /"status":(\d+)/;
	}
	return join ' ', @status;
}

# More sockets are no more messages, whichever workers have them.

my @a = map { $t->ws('/rest?user=a') } 1 .. 8;
is(calls(6, @a), '200 200 200 200 429 429', 'one key, many sockets');
is(calls(5, $t->ws('/rest?user=b')), '200 200 200 200 429', 'another key');
is(calls(9, $t->ws('/rest')), join(' ', (200) x 9), 'no key, no limit');
is(calls(3, $t->ws('/other?user=a')), '200 200 429', 'a larger burst');

my $s = $t->ws('/echo?user=c');
$s->text($_) for 1 .. 5;
is(join(' ', map { $s->read } 1 .. 4), 'text:1 text:2 text:3 text:4', 'echo');
$t->closes($s, 1008, 'and close');

# What was counted is known after a reload.

$t->reload;
is(calls(1, $t->ws('/rest?user=a')), '429', 'after a reload');

$t->finish;

###############################################################################

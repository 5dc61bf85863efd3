#!/usr/bin/perl

# Tests for WebSocket: idle sockets hold no buffers.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 2048;');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

use constant COUNT => 800;

my $worker = ($t->workers)[0];
my $message = 'm' x 300_000;

$t->ws('/ws')->text($message)->read for 1 .. 20;
my $before = $t->rss($worker);

# Each socket has carried large messages in both directions, whole and in
# fragments, and has nothing to do now.

my @sockets;

for (1 .. COUNT) {
	my $s = $t->ws('/ws');
	die "no echo\n" unless $s->text($message)->read eq "text:$message";
	$s->text('frag', fin => 0)->continuation('ment')->message;
	push @sockets, $s;
}

my $each = ($t->rss($worker) - $before) / COUNT;
$t->uses($each, 12, 'kilobytes of memory a socket');
note("$each kilobytes a socket");

is((grep { $_->text('x')->read ne 'text:x' } @sockets), 0, 'all of them work');
is((grep { $_->close(1000)->end ne 'eof' } @sockets), 0, 'all of them close');

$t->finish;

###############################################################################

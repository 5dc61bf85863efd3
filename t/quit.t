#!/usr/bin/perl

# Tests for WebSocket: nginx -s quit closes sockets with 1001.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    ws_drain 400ms;
    ws_close_timeout 300ms;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $s = $t->ws('/ws');
my $fragments = $t->ws('/ws')->text('half', fin => 0);
my $mute = $t->ws('/ws');
my $deep = $t->ws('/ws');
$deep->text('x' x 100_000);

my $binary = NginxWs::binary();
my $dir = $t->dir;
is(system("'$binary' -p '$dir' -c nginx.conf -e '$dir/error.log' -s quit"), 0,
	'nginx -s quit');

is($s->read, 'close:1001 going away', 'close');
is($s->close(1001)->end, 'eof', 'end after the answer');

is($fragments->read, 'close:1001 going away', 'close within a message');
is($fragments->continuation('late')->close(1001)->end, 'eof',
	'rest of the message and the answer');

is($deep->read, 'text:' . 'x' x 100_000, 'what was echoed before');
is($deep->read, 'close:1001 going away', 'close after it');
$deep->hang_up;

is(join(' ', $mute->read, $mute->end), 'close:1001 going away eof',
	'a client that does not answer');

ok($t->stopped(5), 'nginx is gone');
unlike($t->error_log, qr/open socket/, 'no socket was left open');

$t->finish;

###############################################################################

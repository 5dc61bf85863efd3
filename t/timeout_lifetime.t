#!/usr/bin/perl

# Tests for WebSocket: ws_max_lifetime.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_max_lifetime 600ms;
    }

    location /off {
        ws_echo;
        ws_max_lifetime 0;
    }
}

EOF

###############################################################################

my $off = $t->ws('/off');
my $start = time;
my $s = $t->ws('/ws');
my $echoed = 0;

# However busy it is.

while (1) {
	my $answer = $s->text('busy')->read;
	last if $answer ne 'text:busy';
	$echoed++;
	die "still alive\n" if time - $start > 5 * $NginxWs::slow;
	select undef, undef, undef, 0.02;
}

my $took = time - $start;
$s->hang_up;

cmp_ok($echoed, '>', 5, 'echoes before the end of its life');
cmp_ok($took, '>=', 0.59, 'not before ws_max_lifetime');
cmp_ok($took, '<', 0.59 + 2 * $NginxWs::slow, 'not long after it');

$s = $t->ws('/ws');
is(join(' ', $s->read_close), '1001 lifetime', 'code and reason');
is($s->close(1001)->end, 'eof', 'end');

is($off->text('x')->read, 'text:x', 'no end with 0');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: a reload closes sockets with 1001, spread over ws_drain.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $conf = <<'EOF';

log_format code "$ws_close_code $ws_close_reason";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_drain 2s;
    }

    location /pid {
        return 200 $pid;
        access_log off;
    }
}

EOF

my $t = NginxWs->new->run($conf);

###############################################################################

use constant COUNT => 40;

sub pid { $t->http("GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n")->body }

my @sockets = map { $t->ws('/ws') } 1 .. COUNT;
my ($old) = $t->reload;
my $start = time;

# Sockets that wait for their turn still work.

$_->text('hello') for @sockets;
my @first = map { $_->read } @sockets;
my $echoed = grep { $_ eq 'text:hello' } @first;
cmp_ok($echoed, '>=', COUNT * 0.4, 'many of them echo after the reload')
	if $NginxWs::slow == 1;

# All are told, one after the other, and nobody is cut off.

my @times;
my %waiting = map { $_ => $sockets[$_] } grep { $first[$_] eq 'text:hello' }
	0 .. $#sockets;
my %said = map { $_ => $first[$_] } grep { $first[$_] ne 'text:hello' }
	0 .. $#sockets;

$t->wait_for(sub {
	for my $i (keys %waiting) {
		my $frame = $waiting{$i}->read(0.001);
		next if $frame eq 'timeout';
		$said{$i} = $frame;
		push @times, time - $start;
		delete $waiting{$i};
	}
	return !%waiting;
}, 5);

is((grep { ($_ // '') ne 'close:1001 going away' } @said{0 .. $#sockets}), 0,
	'every socket gets 1001')
	or diag(join ', ', map { $_ // 'nothing' } @said{0 .. $#sockets});

my ($first, $last) = (sort { $a <=> $b } @times)[0, -1];
cmp_ok($last, '<', 2 + 2 * $NginxWs::slow, 'within ws_drain');
cmp_ok($last - $first, '>', 1, 'spread over it');
cmp_ok((grep { $_ < 1 } @times) + COUNT - $echoed, '<', COUNT * 0.9,
	'not all in its first half');
cmp_ok((grep { $_ > 1 } @times), '<', COUNT * 0.9,
	'not all in its second half');

$_->close(1001) for @sockets;
is((grep { $_->end ne 'eof' } @sockets), 0, 'no resets');
ok($t->gone($old, 2), 'the old worker is gone with its last socket');

is((grep { $_ eq '1001 going away' } $t->logged(COUNT)), COUNT, 'log');
isnt(pid(), $old, 'new connections go to the new worker');
is($t->ws('/ws')->text('new')->read, 'text:new', 'which echoes');

$t->finish;

###############################################################################

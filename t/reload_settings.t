#!/usr/bin/perl

# Tests for WebSocket: sockets keep the settings they were opened with.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

sub conf {
	my ($limit) = @_;
	return <<"EOF";

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_max_message $limit;
        ws_drain 2s;
    }

    location /now {
        ws_echo;
        ws_drain 0;
    }
}

EOF
}

my $t = NginxWs->new->run(conf(10));

###############################################################################

# A reload of a configuration that does not load changes nothing.

my $s = $t->ws('/ws');
my ($worker) = $t->workers;

$t->write_file('nginx.conf', $t->configuration('ws_max_message none;'));
$t->signal('HUP');
ok($t->wait_for(sub { $t->error_log =~ /invalid size "none"/ }),
	'reload of a wrong configuration');
is($s->text('0123456789')->read, 'text:0123456789', 'the socket goes on');
is(join(' ', $t->workers), $worker, 'in the same worker');
$t->expect(qr/invalid size "none"/);
$s->hang_up;

# ws_drain 0: everyone at once.

my @now = map { $t->ws('/now') } 1 .. 20;
my @old = map { $t->ws('/ws') } 1 .. 20;
$t->reload(conf(20));
is((grep { $_->read(1) ne 'close:1001 going away' } @now), 0,
	'at once with ws_drain 0');

# The old limit for old sockets, the new one for new sockets.

is($t->ws('/ws')->text('x' x 20)->read, 'text:' . 'x' x 20, 'new limit');
$t->closes($t->ws('/ws')->text('', length => 21), 1009, 'above the new limit');

my @codes = map { ($_->text('', length => 11)->read_close)[0] } @old;
is((grep { $_ != 1009 && $_ != 1001 } @codes), 0, 'old sockets are closed');
ok((grep { $_ == 1009 } @codes), 'some of them by the old limit');

# Clients that do not answer the Close hold the worker for ws_close_timeout;
# these do.

$_->close(1001) for @now;
$_->hang_up for @old;
ok($t->gone($worker, 3), 'the old worker is gone');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: a call that nginx would end with a reset leaves the client's
# connection alone.

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
$t->write_file('large', 'x' x 400_000);

$t->run(<<'EOF');

reset_timedout_connection on;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
    }

    location /closed {
        return 444;
    }

    location /large {
        alias %%TESTDIR%%/large;
    }
}

EOF

###############################################################################

# A reset takes what the kernel has not sent yet with it.

for my $calls (0, 1, 3) {
	my $s = RestClient->open($t, '/ws', rcvbuf => 4096);
	is($s->get('/closed')->{error}, 'backend_failed', 'return 444')
		for 1 .. $calls;
	$s->send({id => 1, path => '/large'})->stuff('', 0.3);
	$s->close(1000)->stuff('', 0.5);
	is(length $s->decoded->{body}, 400_000, "all of the reply, $calls before");
	$t->closes($s, 1000, "a clean end, $calls before");
}

$t->finish;

###############################################################################

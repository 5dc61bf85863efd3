#!/usr/bin/perl

# Tests for ws_rest: a worker that quits answers all calls that it has read.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

ws_drain 0;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
    }

    location / {
        return 200 x;
    }
}

EOF

###############################################################################

# More calls than a turn of the worker takes.

use constant CALLS => 1000;

my $worker = ($t->workers)[0];
my $s = RestClient->open($t);
is($s->get('/')->{status}, 200, 'a call before');

kill 'STOP', $worker;
$s->stuff(WsFrame::encode(1, '{"path":"/"}') x CALLS, 0.1);
kill 'QUIT', $t->master;
# Time for the master to tell the worker.
select undef, undef, undef, 0.3;
kill 'CONT', $worker;

my (%seen, $last);
for (1 .. CALLS) {
	$last = $s->decoded or last;
	$seen{$last->{error} // $last->{status}}++;
}
is(($seen{200} // 0) + ($seen{shutting_down} // 0), CALLS,
	'each has a reply') or diag(explain(\%seen));
cmp_ok($seen{shutting_down} // 0, '>', 0, 'and the last ones a refusal');
$t->closes($s, 1001, 'then the end');

$t->finish;

###############################################################################

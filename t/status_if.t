#!/usr/bin/perl

# Tests for ws_status: where an "if" of its location matches, the counters are
# the same.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

ws_zone main 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /status {
        if ($arg_x) {
            add_header X-Seen 1;
        }
        if ($arg_y) {
            set $y 1;
        }
        ws_status json;
    }

    location = /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $s = $t->ws('/ws');

for ('', '?x=1', '?y=1', '?x=1&y=1') {
	my $r = $t->http("GET /status$_ HTTP/1.0\r\n\r\n");
	is($r->status, 200, "/status$_");
	is(decode_json($r->body)->{main}{sockets}{active}, 1, "/status$_: counters");
	# The last one that matches.
	is($r->header('X-Seen') // '', /x=1$/ ? 1 : '', "/status$_: the if");
}

$t->finish;

###############################################################################

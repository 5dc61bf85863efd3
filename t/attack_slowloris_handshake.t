#!/usr/bin/perl

# Tests for WebSocket under attack: handshakes that never end.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 1024;');

client_header_timeout 2s;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }
}


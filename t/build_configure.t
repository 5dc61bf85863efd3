#!/usr/bin/perl

# Tests for WebSocket: the module built by nginx's own configure and make.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my ($top, $binary) = (NginxWs::top(), NginxWs::binary());
my $module = "$top/target/against/make/ngx_http_ws_module.so";

my $log = qx{'$top/nginx-build/against-nginx' --make --nginx '$binary' \\
	--output '$module' 2>&1};
is($?, 0, './configure --add-dynamic-module') or die $log;

my $t = NginxWs->new(module => $module)->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

my $s = $t->ws('/ws');
is($s->text('hello')->read, 'text:hello', 'echo');
$t->closes($s->close(1000), 1000, 'close');
$t->closes($t->ws('/ws')->write("\x83\x80"), 1002, 'violation');

$t->finish;

###############################################################################

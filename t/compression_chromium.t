#!/usr/bin/perl

# Tests for WebSocket: permessage-deflate with Chromium.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new;

# In front of each location is a port that does nothing but count what goes
# through it, in both directions: the handshake and the frames as they are.

my @names = qw/off drop keep small/;
my $ports = join '', map { <<"EOF" } @names;
    server {
        listen 127.0.0.1:%%PORT_$_%%;
        proxy_pass 127.0.0.1:%%PORT%%;
    }
EOF

$t->run(<<'EOF', main => $t->expand(<<"EOS"));

log_format counts "$uri $ws_messages_in $ws_bytes_in $ws_bytes_out $bytes_sent";
access_log %%TESTDIR%%/access.log counts;

server {
    listen 127.0.0.1:%%PORT%%;
    ws_compression on;

    location / {
        access_log off;
        default_type text/html;
        return 200 "<!DOCTYPE html><title>x</title>";
    }

    location /off   { ws_echo; ws_compression off; }
    location /drop  { ws_echo; }
    location /keep  { ws_echo; ws_compression_context_takeover on; }
    location /small {
        ws_echo;
        ws_compression_context_takeover on;
        ws_compression_window 9;
    }
}

EOF
stream {
    log_format wire "\$server_port \$bytes_received \$bytes_sent";
    access_log %%TESTDIR%%/wire.log wire;

$ports}
EOS

###############################################################################

my @urls = map { 'ws://127.0.0.1:' . $t->port($_) . "/$_" } @names;
my $output = $t->client('node', 'compressed_page.js',
	'http://127.0.0.1:' . $t->port . '/', @urls);

# 58 messages: 18 of 9 sizes, text and binary, and 40 that are alike.

my ($size) = $output =~ /58 messages of (\d+) bytes/;
cmp_ok($size // 0, '>', 700_000, 'bytes echoed');
my $done = '58 messages of ' . ($size // 'some') . ' bytes, close 1000 true';

# Chromium offers "permessage-deflate; client_max_window_bits".

is($output, <<"EOF", 'what was agreed, and all came back');
/off 
/off $done
/drop permessage-deflate; server_no_context_takeover; client_no_context_takeover
/drop $done
/keep permessage-deflate
/keep $done
/small permessage-deflate; client_max_window_bits=9
/small $done
EOF

my %module;
for ($t->logged(scalar @names)) {
	my ($uri, $messages, $in, $out, $sent) = split;
	is("$messages $in $out", "58 $size $size", "$uri: messages and bytes");
	$module{substr $uri, 1} = $sent;
}

my (%from, %to);
my %name = map { $t->port($_) => $_ } @names;
for ($t->logged(scalar @names, 'wire.log')) {
	my ($port, $received, $sent) = split;
	@{$_->[0]}{$name{$port}} = $_->[1] for [\%from, $received], [\%to, $sent];
}

is($module{$_}, $to{$_}, "$_: the module counts what it sends") for @names;

for (['from Chromium', \%from], ['to Chromium', \%to]) {
	my ($name, $bytes) = @$_;
	my ($off, $drop, $keep, $small) = @$bytes{@names};
	cmp_ok($off, '>', $size, "$name, off");
	cmp_ok($drop, '<', $size * 0.05, "$name, without takeover");
	cmp_ok($keep, '<', $drop - 40 * 40, "$name, with takeover");
	cmp_ok($small, '<', $size * 0.2, "$name, with a small window");
	note("$name: $off, $drop, $keep, $small");
}

$t->finish;

###############################################################################

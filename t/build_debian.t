#!/usr/bin/perl

# Tests for WebSocket: the module in Debian's own nginx.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;

###############################################################################

plan skip_all => 'not a Debian system' unless -e '/etc/debian_version';

my $top = NginxWs::top();

my $log = qx{'$top/nginx-build/debian' 2>&1};
is($?, 0, 'nginx-build/debian') or die $log;

my $t = NginxWs->new(binary => '/usr/sbin/nginx',
	module => "$top/target/debian/modules/libngx_ws.so");

$t->certificate->run(<<'EOF');

log_format code "$status $ws_close_code $ws_messages_in";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_TLS%% ssl;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_echo;
        ws_subprotocol chat;
        ws_idle_timeout 200ms;
        ws_drain 100ms;
    }
}

EOF

###############################################################################

my $big = 'b' x (1 << 20);

for my $o ([], [tls => 1, port => $t->port('TLS')]) {
	my $name = @$o ? 'TLS' : 'plain';
	my $s = $t->ws('/ws', @$o,
		headers => ['Sec-WebSocket-Protocol: other', 'Sec-WebSocket-Protocol: chat',
			'Connection: keep-alive']);

	is($s->header('Sec-WebSocket-Protocol'), 'chat', "$name: repeated headers");
	is($s->text('hello')->read, 'text:hello', "$name: echo");
	ok(($s->binary($big)->read_frame // {})->{payload} eq $big,
		"$name: large echo");
	is(join(' ', $s->read_close), '1001 idle timeout', "$name: timeout");
	is($s->close(1001)->end, 'eof', "$name: end");
	$t->closes($t->ws('/ws', @$o)->write("\x83\x80"), 1002, "$name: violation");
}

is($t->http("GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n")->status, 426,
	'no upgrade');
is($t->http('/ws', headers => [map { "X-$_: $_" } 1 .. 50])->status, 101,
	'many headers');

my $s = $t->ws('/ws');
my ($old) = $t->reload;
is((($s->read_close)[0]), 1001, 'reload');
is($s->close(1001)->end, 'eof', 'end after the reload');
ok($t->gone($old), 'the old worker is gone');

is((grep { $_ eq '101 1001 2' } $t->access_log), 2, 'log');

$t->finish;

###############################################################################

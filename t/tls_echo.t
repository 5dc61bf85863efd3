#!/usr/bin/perl

# Tests for WebSocket: echo over TLS.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->certificate->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%% ssl;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_echo;
        ws_max_message 16m;
    }

    location /idle {
        ws_echo;
        ws_idle_timeout 200ms;
    }
}

EOF

###############################################################################

my $unit = pack 'N*', 0 .. 9990;

for my $version (qw/TLSv1_2 TLSv1_3/) {
	my %tls = (tls => {SSL_version => $version});
	my $s = $t->ws('/ws', %tls);

	for my $size (0, 1, 125, 126, 16383, 16384, 16385, 65535, 65536, 1 << 20,
		16 << 20)
	{
		my $bytes = substr $unit x ($size / length($unit) + 1), 0, $size;
		ok(($s->binary($bytes)->read_frame // {})->{payload} eq $bytes,
			"$version: $size bytes");
	}

	is($s->ping('x')->read, 'pong:x', "$version: ping");
	is(join(' ', $s->close(1000)->read, $s->end), 'close:1000 eof',
		"$version: close ends with close_notify");

	$s = $t->ws('/ws', %tls, more => WsFrame::encode(1, 'early'));
	is($s->read, 'text:early', "$version: frame in the record of the handshake");

	$s->dribble(WsFrame::encode(1, 'a byte a record'));
	is($s->read, 'text:a byte a record', "$version: a byte a record");

	# More frames in one record than one read of the server takes.

	$s->write(WsFrame::encode(1, 'many') x 2000);
	is((grep { $s->read ne 'text:many' } 1 .. 2000), 0,
		"$version: many frames at once");

	$t->closes($s->write("\x83\x80"), 1002, "$version: violation");
	$t->closes($t->ws('/ws', %tls)->write("\x83\x80" . 'x' x 1_000_000), 1002,
		"$version: violation with a megabyte behind it");
	$s = $t->ws('/idle', %tls);
	is(join(' ', $s->read_close), '1001 idle timeout', "$version: timeout");
	is($s->close(1001)->end, 'eof', "$version: end");

	$t->ws('/ws', %tls)->text('x')->hang_up;
	$t->ws('/ws', %tls)->text('x')->reset;
}

is($t->ws('/ws', tls => 1)->text('x')->read, 'text:x', 'clients that vanish');

$t->finish;

###############################################################################

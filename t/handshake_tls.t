#!/usr/bin/perl

# Tests for WebSocket: a TLS handshake that fails closes the connection (RFC
# 6455, 4.2.2).

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::SSL;
use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->certificate->run(<<'EOF');

ssl_protocols TLSv1.3;

server {
    listen 127.0.0.1:%%PORT%% ssl default_server;
    ssl_reject_handshake on;
}

server {
    listen 127.0.0.1:%%PORT%% ssl;
    server_name localhost;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

# What OpenSSL says of a handshake, and how the connection ended although our
# side of it stays open.

sub fails {
	my (%o) = @_;
	my $s = WsClient->new(port => $t->port);

	# On another descriptor of the same connection.
	open my $file, '+<&', $s->{socket} or die "dup: $!\n";
	my $tls = IO::Socket::INET->new_from_fd(fileno $file, 'r+')
		or die "dup: $!\n";
	$tls->blocking(1);
	my $good = IO::Socket::SSL->start_SSL($tls, SSL_hostname => 'localhost',
		SSL_verify_mode => SSL_VERIFY_NONE, %o);
	return 'succeeds' if $good;

	return "$SSL_ERROR, " . $s->end;
}

is(fails(), 'succeeds', 'the model itself');
is($t->ws('/ws', tls => 1)->text('x')->read, 'text:x', 'a good one');

like(fails(SSL_hostname => 'other.example'), qr/unrecognized name, eof$/,
	'a host that is not here');
like(fails(SSL_version => 'TLSv1_2'), qr/protocol version, eof$/,
	'a version that is not spoken');

my $s = WsClient->new(port => $t->port)->write("\x16\x03\x01\x00\x05hello");
is($s->end, 'eof', 'no handshake');
unlike($s->{in}, qr/HTTP/, 'no handshake: no answer but an alert');

$s = $t->http('/ws');
is($s->status, 400, 'a handshake of HTTP on a port of TLS');
is($s->end, 'eof', 'a handshake of HTTP: end');

is($t->ws('/ws', tls => 1)->text('x')->read, 'text:x', 'and a good one again');

$t->finish;

###############################################################################

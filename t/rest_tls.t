#!/usr/bin/perl

# Tests for ws_rest: calls over TLS see TLS, and leave it alone.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new->certificate;
RestClient::backend($t);

$t->run(<<'EOF');

log_format call "$scheme $https $ssl_protocol $status $uri";
access_log %%TESTDIR%%/access.log call;

ssl_certificate %%TESTDIR%%/cert.pem;
ssl_certificate_key %%TESTDIR%%/key.pem;

server {
    listen 127.0.0.1:%%PORT%% ssl;

    location /ws {
        ws_rest /;
    }

    location /variables {
        return 200 "$scheme|$https|$ssl_protocol|$ssl_cipher|$ssl_server_name|$ssl_session_reused|$ssl_client_verify|$server_port";
    }

    location /redirect {
        return 302 /variables;
    }

    location /buffered/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_set_header X-Forwarded-Proto $scheme;
    }

    location /streamed/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_buffering off;
    }

    location /over-tls/ {
        proxy_pass https://127.0.0.1:%%PORT%%/variables;
        proxy_ssl_server_name on;
    }

    location /close {
        return 444;
    }

    location /large {
        alias %%TESTDIR%%/large;
    }
}

EOF

$t->write_file('large', 'x' x 1_000_000);

###############################################################################

for my $version (qw/TLSv1_2 TLSv1_3/) {
	my $shown = $version =~ s/_/./r;
	my %tls = (tls => {SSL_version => $version});
	my $s = RestClient->open($t, '/ws', %tls);

	my @variables = split /\|/, $s->get('/variables')->{body};
	is(join(' ', @variables[0 .. 2]), "https on $shown", "$version: TLS");
	like($variables[3], qr/^\w.*AES|CHACHA/, "$version: cipher");
	is(join(' ', @variables[4 .. 7]), 'localhost . NONE ' . $t->port,
		"$version: other variables");

	# Every way a request can end leaves the client's TLS open.

	for (1 .. 3) {
		is(join(',', RestClient::received($s->get('/buffered/'),
			'X-Forwarded-Proto')), 'https', "$version: proxied");
		is($s->status_of($_->[0]), $_->[1], "$version: $_->[0]") for
			['/streamed/?size=100000', 200], ['/redirect', 302],
			['/nowhere', 404], ['/close', 502], ['/over-tls/', 200],
			['/buffered/?fault=drop', 502], ['/%00', 400],
			['/buffered/?size=100&cut=50', 502],
			['/streamed/?size=100&cut=50', 502];
	}

	like($s->raw({path => '/large'}), qr/"body":"x*","encoding":"text"\}$/,
		"$version: large");

	# Many at once, larger than a record.

	$s->send({id => $_, path => "/buffered/?size=20000&delay=" . $_ % 5 * 10})
		for 1 .. 50;
	my %got = map { my $r = $s->decoded; $r->{id} => length $r->{body} } 1 .. 50;
	is(join(' ', map { $got{$_} } 1 .. 50), join(' ', (20000) x 50),
		"$version: many at once");

	is(join(' ', $s->close(1000)->read, $s->end), 'close:1000 eof',
		"$version: ends with close_notify");

	# Clients that leave calls behind.

	for my $end (qw/hang_up reset/) {
		my $aborted = grep { $_ eq 'aborted' } RestClient::seen($t);
		my $calls = grep { /hang|pause/ } RestClient::seen($t);

		$s = RestClient->open($t, '/ws', %tls);
		$s->send({path => $_}) for '/buffered/?fault=hang',
			'/streamed/?size=1000&pause=20000';
		RestClient::wait_seen($t, qr/hang|pause/, $calls + 2);
		$s->$end;
		ok(RestClient::wait_seen($t, 'aborted', $aborted + 2, 3),
			"$version: $end");
	}

	ok((grep { $_ eq "https on $shown 200 /streamed/" } $t->access_log),
		"$version: log");
}

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: calls that run on without a client cost no time.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/sleep time/;

###############################################################################

my $t = NginxWs->new->certificate;
RestClient::backend($t);

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_tls%% ssl;
    listen unix:%%TESTDIR%%/nginx.sock;
    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_rest /api/;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_ignore_client_abort on;
    }
}

EOF

###############################################################################

# Seconds of processor time that the worker has used.

sub used {
	my ($worker) = $t->workers;
	open my $file, '<', "/proc/$worker/stat" or die "no worker: $!\n";
	my @fields = split ' ', <$file> =~ s/.*\) //r;
	return ($fields[11] + $fields[12]) / 100;
}

my $calls = 0;

for (
	['TCP'],
	['TLS', port => $t->port('tls'), tls => 1],
	['unix', unix => $t->dir . '/nginx.sock'],
) {
	my ($name, @options) = @$_;

	for my $end (qw/hang_up reset close shut_write/) {
		next if $name eq 'TLS' && $end eq 'shut_write';

		my @s = map { RestClient->open($t, '/ws', @options) } 1 .. 5;
		$_->send({path => '/api/?body=&delay=800'}) for @s;
		RestClient::wait_seen($t, 'GET /api/?body=&delay=800', $calls += 5);
		$_->$end for @s;

		sleep 0.1;
		my ($before, $start) = (used(), time);
		sleep 0.4;
		my $share = (used() - $before) / (time - $start);
		cmp_ok($share, '<', 0.2, "$name, $end: the worker is idle");

		ok(RestClient::wait_seen($t, 'answered', $calls),
			"$name, $end: the calls come to their end");
	}
}

$t->finish;

###############################################################################

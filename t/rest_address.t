#!/usr/bin/perl

# Tests for ws_rest: requests come from the client's address.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

my $conf = <<'EOF';

log_format call "$remote_addr $remote_port $uri";
access_log %%TESTDIR%%/access.log call;

server {
    listen 127.0.0.1:%%PORT%%;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    real_ip_recursive RECURSIVE;
    include %%TESTDIR%%/locations;
}

server {
    listen 127.0.0.1:%%PORT_proxied%% proxy_protocol;
    set_real_ip_from 127.0.0.0/8;
    real_ip_header proxy_protocol;
    include %%TESTDIR%%/locations;
}

server {
    listen 127.0.0.1:%%PORT_untouched%% proxy_protocol;
    include %%TESTDIR%%/locations;
}

EOF

$t->write_file('locations', $t->expand(<<'EOF'));

location /ws {
    ws_rest /;
    ws_route address GET /address;
}

location /address {
    return 200 "$remote_addr|$proxy_protocol_addr|$proxy_protocol_port|$proxy_add_x_forwarded_for|$server_port";
}

location /api/ {
    proxy_pass http://127.0.0.1:%%PORT_backend%%;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
}

location /theirs/ {
    allow 192.0.2.7;
    deny all;
    proxy_pass http://127.0.0.1:%%PORT_backend%%;
}

location /ours/ {
    allow 127.0.0.1;
    deny all;
    proxy_pass http://127.0.0.1:%%PORT_backend%%;
}

EOF

###############################################################################

sub address { (split /\|/, $_[0]->get('/address')->{body}, -1)[0] }

for my $recursive (qw/off on/) {
	$t->run($conf =~ s/RECURSIVE/$recursive/r);

	# X-Forwarded-For of the handshake.

	my $s = RestClient->open($t, '/ws',
		headers => ['X-Forwarded-For: 198.51.100.1, 192.0.2.7']);

	for my $round (1, 2) {
		is($s->get('/address')->{body}, join('|', '192.0.2.7',
			'', '', '198.51.100.1, 192.0.2.7, 192.0.2.7', $t->port),
			"address, round $round, recursive $recursive");
		is($s->call({action => 'address'})->{body},
			$s->get('/address')->{body},
			"address in a route, round $round, recursive $recursive");
		is($s->status_of('/theirs/'), 200,
			"allow, round $round, recursive $recursive");
		is($s->status_of('/ours/'), 403,
			"deny, round $round, recursive $recursive");
		is(join(',', RestClient::received($s->get('/api/'), 'X-Real-IP')),
			'192.0.2.7', "at the backend, round $round, recursive $recursive");
	}

	is(address(RestClient->open($t)), '127.0.0.1',
		"without a header, recursive $recursive");

	# PROXY protocol.

	my @proxied = (prologue => "PROXY TCP4 192.0.2.7 203.0.113.1 4711 80\r\n");
	$s = RestClient->open($t, '/ws', port => $t->port('proxied'), @proxied);
	is($s->get('/address')->{body}, join('|', '192.0.2.7',
		'192.0.2.7', 4711, '192.0.2.7', $t->port('proxied')),
		"PROXY protocol, recursive $recursive") for 1, 2;
	is($s->status_of('/theirs/'), 200, "PROXY protocol: allow, $recursive");

	$s = RestClient->open($t, '/ws', port => $t->port('untouched'), @proxied);
	is($s->get('/address')->{body}, join('|', '127.0.0.1',
		'192.0.2.7', 4711, '127.0.0.1', $t->port('untouched')),
		"PROXY protocol without realip, recursive $recursive");

	# A client that leaves before its call ends: the address stays whole.

	$s = RestClient->open($t, '/ws', headers => ['X-Forwarded-For: 192.0.2.99']);
	$s->send({path => '/api/last?fault=hang'});
	RestClient::wait_seen($t, qr!/api/last!);
	$s->hang_up;
	ok($t->wait_for(sub { grep { m!^192\.0\.2\.99 .* /api/last$! }
		$t->access_log }), "log, recursive $recursive")
		or diag(join "\n", $t->access_log);

	$t->stop;
	unlink $t->dir . '/access.log', $t->dir . '/backend.record';
}

$t->finish;

###############################################################################

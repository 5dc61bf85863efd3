#!/usr/bin/perl

# Tests for ws_rest: requests have the Origin that a browser would send with
# them.

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

$t->run(<<'EOT');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_origin any;
        ws_client_headers X-Custom Accept Origin;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /variables {
        return 200 "$http_origin|$http_x_last";
    }
}

EOT

###############################################################################

my $own = 'http://localhost:8080';

sub origins {
	my ($s, $method, $headers) = @_;
	my $reply = $s->call({method => $method, path => '/api/',
		headers => $headers // {}});
	return join ', ', RestClient::received($reply, 'Origin'),
		map { RestClient::received($reply, $_) } qw/X-First X-Last/;
}

# Of the page's own host, other than with what reads.

for my $origin ($own, 'HTTP://LOCALHOST:8080') {
	my $s = RestClient->open($t, '/ws', name => 'localhost:8080',
		headers => ['X-First: 1', "Origin: $origin", 'X-Last: 2']);

	for my $headers ({}, {'X-Custom' => 'x'}, {Accept => 'x'}) {
		my $with = join ' ', "'$origin',", %$headers;
		is(origins($s, 'GET', $headers), '1, 2', "GET, $with");
		is(origins($s, $_, $headers), "$origin, 1, 2", "$_, $with")
			for qw/POST PUT PATCH DELETE OPTIONS/;
	}
	is(origins($s, 'GET', {Origin => 'http://a'}), 'http://a, 1, 2',
		'one of the message');
	is(origins($s, 'POST', {Origin => 'http://a'}), 'http://a, 1, 2',
		'one of the message, POST');
	is($s->get('/variables')->{body}, '|2', 'variable');
	is($s->call({method => 'POST', path => '/variables'})->{body}, "$origin|2",
		'variable, POST');
}

# Of another one, always.

for my $origin ('http://localhost', 'https://localhost:8080', 'null',
	'https://elsewhere.example', "http://\xff")
{
	my $is_own = $origin eq 'https://localhost:8080';
	my $s = RestClient->open($t, '/ws', name => 'localhost:8080',
		headers => ["Origin: $origin", 'X-First: 1']);
	my $seen = $origin eq "http://\xff" ? 'http://' . "\xff" : $origin;
	is(origins($s, 'GET'), $is_own ? 1 : "$seen, 1", "GET, '$seen'");
	is(origins($s, 'POST'), "$seen, 1", "POST, '$seen'");
}

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: POST, PUT and PATCH without a body say so.

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
        ws_route add POST /1.0/add;
    }

    location /1.0/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /1.1/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }

    location /variables {
        return 200 "$content_length|$http_content_length|$content_type";
    }
}

EOT

###############################################################################

my $s = RestClient->open($t);

sub told {
	my ($reply) = @_;
	return join ' ', map { my $name = $_;
		map { "$name=$_" } RestClient::received($reply, $name) }
		qw/Content-Length Content-Type Transfer-Encoding/;
}

for my $version ('1.0', '1.1') {
	for my $method (qw/POST PUT PATCH/) {
		my %call = (method => $method, path => "/$version/x");
		is(told($s->call(\%call)), 'Content-Length=0', "$method, $version");
		is(told($s->call({%call, body => undef})), 'Content-Length=0',
			"$method with a null, $version");
		is(told($s->call({%call, body => {}})),
			'Content-Length=2 Content-Type=application/json',
			"$method with a body, $version");
	}
	is(told($s->call({method => $_, path => "/$version/x"})), '',
		"$_, $version") for qw/GET DELETE OPTIONS/;
}

is(told($s->call({action => 'add'})), 'Content-Length=0', 'action');
is($s->call({method => 'POST', path => '/variables'})->{body}, '0|0|',
	'variables');

$t->finish;

###############################################################################

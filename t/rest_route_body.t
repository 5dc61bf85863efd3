#!/usr/bin/perl

# Tests for ws_rest: params that the route of a POST, PUT or PATCH does not use
# are the body.

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
    client_max_body_size 2k;

    location /ws {
        ws_route add POST /api/users;
        ws_route set PUT /api/users/$ws_arg_id;
        ws_route patch PATCH "/api/users/$ws_arg_id?version=$ws_arg_version";
        ws_route drop DELETE /api/users/$ws_arg_id;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOT

###############################################################################

my $s = RestClient->open($t);

sub seen {
	my ($action, $params, $more) = @_;
	my $reply = $s->call("{\"action\":\"$action\",\"params\":$params"
		. ($more // '') . '}');
	my $body = $reply->{body} or return "$reply->{status} $reply->{message}";
	return join ' ', map { $_ // () } @$body{qw/method target body/},
		RestClient::received($reply, 'Content-Type'),
		RestClient::received($reply, 'Content-Length');
}

is(seen('add', '{"name":"Ann"}'),
	'POST /api/users {"name":"Ann"} application/json 14', 'POST');
is(seen('set', '{"id":7,"name":"Bob"}'),
	'PUT /api/users/7 {"name":"Bob"} application/json 14', 'PUT');
is(seen('patch', '{"id":7,"version":"a b","x":true}'),
	'PATCH /api/users/7?version=a%20b {"x":true} application/json 10', 'PATCH');
is(seen('drop', '{"id":7,"x":true}'), 'DELETE /api/users/7?x=true ',
	'DELETE has a query');

# Values are as they were written.

my $values = '{"a":1.50,"b":"1.50","c":-1E5,"d":false,"e":"\u00e9\n\"","f":""}';
is(seen('add', $values), "POST /api/users $values application/json "
	. length $values, 'values');
is(seen('add', '{"\u0062\"":1,"a":2}'),
	'POST /api/users {"a":2,"b\"":1} application/json 15', 'names');

# A null is as if it were not there; what is used is not there twice.

is(seen('add', '{"x":null}'), 'POST /api/users  0', 'null');
is(seen('set', '{"id":7}'), 'PUT /api/users/7  0', 'none left');
is(seen('set', '{"id":7}', ',"body":{"a":1}'),
	'PUT /api/users/7 {"a":1} application/json 7', 'a body, and none left');

# Two bodies are one too many.

is(seen('set', '{"id":7,"name":"Bob"}', ",\"body\":$_"),
	'400 both a body and parameters that would be it', "body $_")
	for '{}', '""', '"x","encoding":"text"';
is(seen('set', '{"id":7,"name":"Bob"}', ',"body":null'),
	'PUT /api/users/7 {"name":"Bob"} application/json 14', 'body null');

is($s->call({action => 'add', params => {x => 'x' x 2100}})->{status}, 413,
	'client_max_body_size');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: ws_route gives an action a request that the client cannot
# choose.

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

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
        ws_route list GET /internal/users;
        ws_route get GET /internal/users/$ws_arg_id;
        ws_route search GET "/internal/search?fixed=1&q=$ws_arg_q";
        ws_route add POST /internal/users;
        ws_route put PUT /internal/users/$ws_arg_id/$ws_arg_part.json;
        ws_route drop DELETE /internal/users/$ws_arg_id;
        ws_route look HEAD /internal/users/$ws_arg_id;
        ws_route patch PATCH /internal/users/$ws_arg_id;
        ws_route ask OPTIONS /internal/users;
        ws_route "with space é" GET /internal/odd;
        ws_route dots GET /internal/a/../b;
        ws_route dot GET /internal/users/%2e$ws_arg_id;
        ws_route slash GET /internal/users/b%2f$ws_arg_id/;
        ws_route missing GET /nowhere/;
        ws_client_headers X-Custom;
    }

    # Actions only.
    location /actions {
        ws_route list GET /internal/users;
    }

    location /internal/ {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /nowhere/ {
        return 404;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);

sub target {
	my ($action, $params, @more) = @_;
	my $reply = $s->call({id => 1, action => $action,
		$params ? (params => $params) : (), @more});
	return ref $reply->{body} ? "$reply->{body}{method} $reply->{body}{target}"
		: "$reply->{status} " . ($reply->{message} // '');
}

is(target('list'), 'GET /internal/users', 'no parameters');
is(target('list', {}), 'GET /internal/users', 'empty parameters');
is(target('list', {b => 2, a => 'x y&z'}), 'GET /internal/users?a=x%20y%26z&b=2',
	'the rest becomes the query');
is(target('get', {id => 7}), 'GET /internal/users/7', 'a number');
is(target('get', {id => 'a', q => '1'}), 'GET /internal/users/a?q=1',
	'a place and a query');
is(target('search', {q => 'a/b?c&d=e #f+%41'}), 'GET /internal/search?fixed=1'
	. '&q=a%2Fb%3Fc%26d%3De%20%23f%2B%2541', 'in the query');
is(target('search', {q => '', z => 1}),
	'GET /internal/search?fixed=1&q=&z=1', 'empty in the query');
is(target('add', {id => 1}), 'POST /internal/users', 'POST has no query');
is(target('put', {id => 1, part => 'x'}), 'PUT /internal/users/1/x.json',
	'two places');
is(target('drop', {id => 1, force => JSON::PP::true}),
	'DELETE /internal/users/1?force=true', 'DELETE has a query');
is(target('patch', {id => 1, x => 2}), 'PATCH /internal/users/1', 'PATCH');
is(target('ask', {x => 1}), 'OPTIONS /internal/users?x=1', 'OPTIONS');
is(target('dots'), 'GET /internal/a/../b', 'dots of the operator');
is(target('missing'), '404 ', 'a location that answers 404');
is($s->call({action => 'look', params => {id => 5}})->{status}, 200, 'HEAD');
is((grep { $_ eq 'HEAD /internal/users/5' } RestClient::seen($t)), 1,
	'which the backend has seen');
is($s->send('{"action":"with space \u00e9"}')->decoded->{body}{target},
	'/internal/odd', 'any name');

# Values as JSON writes them.

for (['1.50', '1.50'], ['-1e5', '-1e5'], ['12345678901234567890',
	'12345678901234567890'], ['true', 'true'], ['"\u00e9"', '%C3%A9'],
	['"a b"', 'a%20b'], ['"%2e%2e"', '%252e%252e'], ['"..."', '...'],
	['"a..b"', 'a..b'], ['"a\r\nb"', 'a%0D%0Ab'], ['"?x=1"', '%3Fx%3D1'],
	['"#x"', '%23x'], ['"a;b"', 'a%3Bb'], ['"\\\\"', '%5C'],
	['"$ws_arg_id"', '%24ws_arg_id'])
{
	is($s->call("{\"action\":\"get\",\"params\":{\"id\":$_->[0]}}")->{body}
		{target}, "/internal/users/$_->[1]", "value $_->[0]");
}

# What would leave its place.

for my $value ('""', '"."', '".."', '"/"', '"a/b"', '"../x"', '"a\u0000"',
	'null', '{}', '[]')
{
	my $reply = $s->call("{\"action\":\"get\",\"params\":{\"id\":$value}}");
	is("$reply->{status} $reply->{error}", '400 bad_message',
		"refused value $value");
}
is(target('get', {id => 'x' x 9000}), '400 the URI is too long', 'a long value');
is(target('list', {map { $_ => 'x' x 100 } 1 .. 90}), '400 the URI is too long',
	'many values');

# Also where the route has a part of it, escaped.

is(target('dot', {id => '.'}), '400 a parameter is not a path segment',
	'a dot behind an escaped one');
is(target('slash', {id => '..'}), '400 a parameter is not a path segment',
	'dots behind an escaped slash');
is(target('dot', {id => 'x'}), 'GET /internal/users/%2ex', 'others stay');

# The client names neither path nor method, but headers and body.

is(target('get', {id => 1}, method => 'POST'),
	'400 "method" with "action"', 'method');
is(target('get', {id => 1}, path => '/api/x'),
	'400 both "path" and "action"', 'path');
is($s->status_of('/internal/users'), 404, 'an internal location by path');
is($s->status_of('/api/../internal/users'), 404, 'or by dots');
my $reply = $s->call({action => 'add', body => {a => 1},
	headers => {'X-Custom' => 'x'}});
is(join(' ', $reply->{body}{body}, RestClient::received($reply, 'X-Custom')),
	'{"a":1} x', 'body and headers');
is($s->call({path => '/api/x'})->{body}{target}, '/api/x', 'paths as well');

# Without ws_rest there are no paths.

$s = RestClient->open($t, '/actions');
is(target('list'), 'GET /internal/users', 'actions only');
is($s->status_of($_), 404, "no path $_") for '/api/x', '/', '/actions';
is(target('get', {id => 1}), '404 no such path or action here',
	'no action of another location');

# Directives.

for (
	['"" GET /', 'has an empty action'],
	['a get /', 'invalid method "get": expected GET, HEAD, POST, PUT, PATCH,'
		. ' DELETE or OPTIONS'],
	['a TRACE /', 'invalid method "TRACE": expected GET, HEAD, POST, PUT, PATCH,'
		. ' DELETE or OPTIONS'],
	['a GET x', 'invalid URI "x": expected a path such as /api/users'],
	['a GET ""', 'invalid URI "": expected a path such as /api/users'],
	['a GET /a%2', 'invalid URI "/a%2": expected a path such as /api/users'],
	['a GET /%$ws_arg_x/', 'invalid URI "/%$ws_arg_x/": expected a path such as '
		. '/api/users'],
	['a GET "/a b"', 'invalid URI "/a b": expected a path such as /api/users'],
	['a GET "/a#b"', 'invalid URI "/a#b": expected a path such as /api/users'],
	['a GET http://x/',
		'invalid URI "http://x/": expected a path such as /api/users'],
	['a GET /$uri', 'invalid variable in "/$uri": expected $ws_arg_name only'],
	['a GET /$ws_arg_',
		'invalid variable in "/$ws_arg_": expected $ws_arg_name only'],
	['a GET /$', 'invalid variable in "/$": expected $ws_arg_name only'],
	['a GET /; ws_route b GET /; ws_route a POST /x',
		'repeats the action "a"'],
) {
	$t->rejects("ws_route $_->[0]", qq/"ws_route" directive $_->[1]/,
		"server { location / { ws_route $_->[0]; } }");
}

$t->rejects("ws_route $_",
	'invalid number of arguments in "ws_route" directive',
	"server { location / { ws_route $_; } }") for '', 'a', 'a GET', 'a GET / x';

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: no path leads out of the prefix.

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

log_format call "$status $uri $request";
access_log %%TESTDIR%%/access.log call;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
    }

    location /exact {
        ws_rest /api;
    }

    location /all {
        ws_rest /;
    }

    location /deep {
        ws_rest /api/v1/public;
    }

    location /api {
        return 200 "api $uri $args";
    }

    location /api/proxied/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/replaced/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%/new/;
    }

    location /api/internal/ {
        internal;
        return 200 internal;
    }

    location /api/regex {
        rewrite ^/api/regex/(.*) /secret/$1 last;
    }

    location @named {
        return 200 named;
    }

    location / {
        return 200 "secret $uri";
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);

sub not_found {
	my ($path, $name) = @_;
	my $bytes = $path =~ s/([\\"])/\\$1/gr;
	is($s->raw(qq/{"id":1,"path":"$bytes"}/), '{"id":1,"status":404,'
		. '"error":"not_found","message":"no such path or action here"}',
		$name // $path);
}

# Out of /api/.

not_found($_) for '/', '/secret', '/api', '/apisecret', '/ap', '/API/x',
	'/api/..', '/api/../', '/api/../secret', '/api/x/../../secret',
	'/api/./../secret', '/api//../secret', '/./secret',
	'/secret/api/', '/api/%2e%2e', '/api/%2e%2e/secret',
	'/api/.%2e/secret', '/api/%2E./secret', '/api/..%2fsecret',
	'/api/..%2Fsecret', '/api/%2e%2e%2fsecret', '/api%2f..%2fsecret',
	'/%61pi/../secret', '/api/x/..%2f../secret',
	'/api/../secret?/api/', '/secret?x=/api/', '/@named', '/api/../@named',
	'/ws', '/api/../ws', '//secret', '///secret', '//evil/api/',
	'/a%70i%2f%2e%2e', '/api/;/../../secret', '/api?/x', '/api%3f/',
	'/api%23', '/api%5c';

# More ".." than the path is deep, NUL and broken escapes.

is($s->status_of($_), 400, $_) for '/..', '/../secret', '/../api/x',
	'/api/../../api/x', '/%2e%2e/api/x', '/%2e%2e/secret',
	'/api/%2f..%2f../secret', '/api/%00', '/api/x%00/../y',
	'/api/%', '/api/%2', '/api/%zz', '/api/%u0041', '/..%2f..%2fapi/x',
	'/api/%0';

# What stays in it, as nginx reads it.

for (
	['/api/' => '/api/'], ['/api/x' => '/api/x'], ['/%61pi/x' => '/api/x'],
	['/api/a/../b' => '/api/b'], ['/api//x' => '/api/x'],
	['//api/x' => '/api/x'], ['/api%2fx' => '/api/x'],
	['/api/..x' => '/api/..x'], ['/api/...' => '/api/...'],
	['/api/./x' => '/api/x'], ['/secret/../api/x' => '/api/x'],
	['/api/%252e%252e/x' => '/api/%2e%2e/x'],
	['/api/%25%32%65%25%32%65/x' => '/api/%2e%2e/x'],
	['/api/a%20b' => '/api/a b'], ['/api/a%3fb' => '/api/a?b'],
	['/api/a%23b' => '/api/a#b'], ['/api/a%0d%0aX:y' => "/api/a\r\nX:y"],
	["/api/\xc3\xa9" => "/api/\xc3\xa9"], ['/api/%c3%a9' => "/api/\xc3\xa9"],
	['/api/%ff' => '/api/', 'base64'], ['/api/a:b@c' => '/api/a:b@c'],
	['/api/a\\..\\b' => '/api/a\\..\\b'], ['/api/' . 'x' x 8187
		=> '/api/' . 'x' x 8187],
) {
	my ($path, $uri, $encoding) = @$_;
	my $bytes = $path =~ s/\\/\\\\/gr;
	my $reply = $s->call(qq/{"path":"$bytes"}/);
	my $body = $reply->{body} // '';
	utf8::encode($body);
	is($reply->{encoding}, $encoding // 'text', substr "$path: encoding", 0, 60);
	is($body, "api $uri ", substr $path, 0, 60) unless $encoding;
}

for (['?' => ''], ['?a=1&b=%20' => 'a=1&b=%20'], ['?/../x' => '/../x'],
	['??' => '?'], ["?q=\xc3\xa9" => 'q=%C3%A9'], ['?%00' => '%00'])
{
	my $body = $s->call(qq!{"path":"/api/x$_->[0]"}!)->{body};
	utf8::encode($body);
	is($body, "api /api/x $_->[1]", "query $_->[0]");
}

is($s->status_of('/api/internal/x'), 404, 'an internal location');
is($s->get('/api/regex/x')->{body}, 'secret /secret/x',
	'nginx itself may rewrite');

# What the backend gets: the URI as it was written, or the replaced one.

is($s->get($_)->{body}{target}, $_, $_) for '/api/proxied/x%20y?z=%2F',
	'/api/proxied/a%2fb', '/api/proxied/a%0d%0ab', "/api/proxied/%C3%A9";
is($s->call(qq/{"path":"$_->[0]"}/)->{body}{target}, $_->[1], "$_->[0]") for
	["/api/proxied/caf\xc3\xa9?q=\xc3\xbc" => '/api/proxied/caf%C3%A9?q=%C3%BC'],
	["/api/proxied/a%2Fb\xc3\xbc" => '/api/proxied/a%2Fb%C3%BC'],
	['/api/proxied/\u20ac\ud83d\ude00' => '/api/proxied/%E2%82%AC%F0%9F%98%80'];
is($s->status_of('/api/proxied/' . "\x{e9}" x 2000), 400, 'too long as it is sent');
is($s->get('/api/replaced/x%20y?z')->{body}{target}, '/new/x%20y?z',
	'replaced');
is($s->get('/api/replaced/a/../b')->{body}{target}, '/new/b',
	'replaced and normalised');

# Other prefixes.

$s = RestClient->open($t, '/exact');
is($s->get('/api')->{body}, 'api /api ', '/api under /api');
is($s->get('/api/x')->{body}, 'api /api/x ', '/api/x under /api');
not_found('/apisecret', '/apisecret under /api');
not_found('/api/../secret', '/api/../secret under /api');

$s = RestClient->open($t, '/deep');
is($s->get('/api/v1/public/x')->{body}, 'api /api/v1/public/x ', 'deep prefix');
not_found($_, "$_ under a deep prefix") for '/api/v1/publicity',
	'/api/v1/private', '/api/v1/public/../private', '/api/v1/';

$s = RestClient->open($t, '/all');
is($s->get('/x/../secret')->{body}, 'secret /secret', 'everything under /');
is($s->status_of('/all'), 426, 'a WebSocket location is no place for a call');
is($s->status_of('/api/internal/x'), 404, 'an internal location under /');

# What is outside is logged as a 404 and reaches no location.

is((grep { m!^200 /secret/x GET /api/regex/x! } $t->access_log), 1, 'log');
is(join("\n", grep { m!^200 /secret! && !m!GET /(?:api/regex|x)/! }
		$t->access_log), '', 'no other secret was told');
is((grep { m!^404 .* GET /api/\.\./secret HTTP! } $t->access_log), 2,
	'attempts are logged');

# Prefixes that are none.

$t->rejects("ws_rest $_", qq/"ws_rest" directive invalid prefix "/ . s/"//gr
	. '": expected a path such as /api/',
	"server { location / { ws_rest $_; } }")
	for 'api/', 'http://x/', '""', '/a?b', '/a%20b', '"/a b"', '//a', '/a//b',
		'"/a#b"', '*', '/../a', '/a/../b', '/a/./b', '/a/..';

$t->finish;

###############################################################################

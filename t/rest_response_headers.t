#!/usr/bin/perl

# Tests for ws_rest: ws_response_headers picks the headers of a reply.

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

$t->write_file('file', 'x');
$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /default {
        ws_rest /;
    }

    location /chosen {
        ws_rest /;
        ws_response_headers X-Custom Link Set-Cookie Last-Modified
            Cache-Control Vary WWW-Authenticate;
    }

    location /length {
        ws_rest /;
        ws_response_headers Content-Length;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /file {
        alias %%TESTDIR%%/file;
        expires 1h;
    }

    location /unavailable {
        add_header Retry-After 120 always;
        add_header X-Custom always always;
        return 503;
    }
}

EOF

###############################################################################

sub with { join '&', map { 'header=' . RestClient::escaped($_) } @_ }

sub headers {
	my ($s, @headers) = @_;
	my $reply = $s->raw({id => 1, path => '/api/?body=&' . with(@headers)});
	return $reply =~ s/^\{"id":1,"status":200,"headers":(.*)\}$/$1/r;
}

my $s = RestClient->open($t, '/default');
my $type = '"content-type":"text/plain"';

is(headers($s), "{$type}", 'no header');
is(headers($s, 'ETag:"x"', 'LOCATION:/y', 'retry-after:5', 'X-Custom:x',
	'Set-Cookie:a=1', 'Server:secret', 'Cache-Control:no-store'),
	qq/{$type,"etag":"\\"x\\"","location":"\/y","retry-after":"5"}/,
	'those of the default');
is(headers($s, 'ETag:W/"x"'), qq/{$type,"etag":"W\/\\"x\\""}/, 'weak');
is_deeply($s->get('/unavailable')->{headers},
	{'content-type' => 'text/html', 'retry-after' => 120}, 'of nginx');

$s = RestClient->open($t, '/chosen');

is(headers($s, 'X-Custom:a"b\\c'), '{"x-custom":"a\"b\\\\c"}', 'escapes');
is(headers($s, "X-Custom:caf\xc3\xa9"), "{\"x-custom\":\"caf\xc3\xa9\"}",
	'UTF-8');
is(headers($s, 'X-Custom:'), '{"x-custom":""}', 'empty');
is(headers($s, 'ETag:"x"'), '{}', 'not the default ones');
is(headers($s, "X-Custom:a\tb"), '{"x-custom":"a\tb"}', 'tab');

# Latin-1 is no UTF-8: something readable, and JSON.

$s->send({path => '/api/?body=&header=X-Custom:a%FFb'});
like($s->decoded->{headers}{'x-custom'}, qr/^a.+b$/, 'Latin-1');

# A member of an object may be there once only.

is(headers($s, 'Link:<a>', 'X-Custom:x', 'link:<b>'),
	'{"link":"<a>, <b>","x-custom":"x"}', 'repeated');
is(headers($s, 'Vary:a', 'Vary:b', 'Vary:c'), '{"vary":"a, b, c"}',
	'repeated, of a known name');
is(headers($s, 'Cache-Control:a', 'Cache-Control:b'),
	'{"cache-control":"a, b"}', 'repeated, linked by nginx');

# A comma is a part of cookies (RFC 6265); a line feed is not.

my @cookies = ('a=1; Expires=Wed, 09 Jun 2100 10:18:14 GMT', 'b=2, 3', 'c=4');
is(headers($s, map { "set-COOKIE:$_" } @cookies), '{"set-cookie":"'
	. join('\n', @cookies) . '"}', 'cookies, one to a line');
is(headers($s, "Set-Cookie:$cookies[1]"), qq/{"set-cookie":"$cookies[1]"}/,
	'one cookie');

my $reply = $s->get('/file');
like($reply->{headers}{'last-modified'}, qr/ GMT$/, 'last-modified');
is($reply->{headers}{'cache-control'}, 'max-age=3600', 'expires');
is($s->get('/unavailable')->{headers}{'x-custom'}, 'always', 'add_header');

# Which is all that HEAD may be about.

$reply = RestClient->open($t, '/length')->call({method => 'HEAD', path => '/file'});
is($reply->{headers}{'content-length'}, 1, 'length, of HEAD');
is(RestClient->open($t, '/length')->get('/unavailable')->{headers}
	{'content-length'} > 50, 1, 'length, of a page');

# Unwanted ones cost nothing, however many or long.

is(headers($s, (map { "X-$_:x" } 1 .. 100), 'X-Custom:last'),
	'{"x-custom":"last"}', 'many');

$t->finish;

###############################################################################

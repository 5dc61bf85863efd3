#!/usr/bin/perl

# Tests for ws_rest: the shape of replies for every kind of response.

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

$t->run(<<'EOF_CONF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /empty {
        return 200;
    }

    location /text {
        return 200 "café\n";
    }

    location /moved {
        return 301 /elsewhere;
    }
}

EOF_CONF

###############################################################################

my $s = RestClient->open($t);

sub reply {
	my ($query, $method) = @_;
	$method = $method ? qq/"method":"$method",/ : '';
	return $s->raw(qq/{"id":1,$method"path":"\/api\/?$query"}/);
}

sub body {
	my ($body, $type) = @_;
	return reply('type=' . RestClient::escaped($type // 'application/json')
		. '&body=' . RestClient::escaped($body));
}

sub is_reply {
	my ($got, $status, $headers, $body, $name) = @_;
	is($got, qq/{"id":1,"status":$status,"headers":{$headers}$body}/, $name);
}

my $type = '"content-type":"application/json"';

# JSON stays as it is, byte for byte.

for my $json ('{"n":1.00,"big":12345678901234567890123,"e":1E+2}',
	'{ "b" : 1,	"a" : [ 1,2 ],"b":2 }', '[]', 'null', 'true', '0', '"x"',
	'"\u00e9\ud83d\ude00\/\ud800"', "\"\xc3\xa9\"",
	'[' x 3000 . ']' x 3000)
{
	is_reply(body($json), 200, $type, qq/,"body":$json/,
		'JSON: ' . substr $json, 0, 40);
}

is_reply(body("\r\n {\"a\":\r\n1}\n"), 200, $type, qq/,"body":{"a":\r\n1}/,
	'JSON between white space');

for my $kind ('application/problem+json', 'application/json; charset=utf-8',
	'Application/JSON', 'application/vnd.x.v1+JSON;q=1')
{
	is_reply(body('{"a":1}', $kind), 200, qq/"content-type":"$kind"/,
		',"body":{"a":1}', $kind);
}

# What calls itself JSON and is not.

is_reply(body('{"a":'), 200, $type, ',"body":"{\"a\":","encoding":"text"',
	'half an object');
is_reply(body('{} {}'), 200, $type, ',"body":"{} {}","encoding":"text"',
	'two values');
is_reply(body('{"a":1,}'), 200, $type, ',"body":"{\"a\":1,}","encoding":"text"',
	'a comma too many');
is_reply(reply('type=application/json&base64=Iv8i'), 200, $type,
	',"body":"Iv8i","encoding":"base64"', 'not UTF-8');

# Text.

is_reply(body("a\"b\\c\n\r\t\x01\x1f\x7f/", 'text/plain'), 200,
	'"content-type":"text/plain"',
	qq(,"body":"a\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f/","encoding":"text"),
	'text');
is_reply(body('{"a":1}', 'application/jsonp'), 200,
	'"content-type":"application/jsonp"',
	',"body":"{\"a\":1}","encoding":"text"', 'JSON of another type is text');
is_reply(body("\xc3\xa9\xf0\x9f\x98\x80", 'image/png'), 200,
	'"content-type":"image/png"',
	",\"body\":\"\xc3\xa9\xf0\x9f\x98\x80\",\"encoding\":\"text\"", 'UTF-8');
is_reply(reply('type=text/plain&base64=AGEA'), 200,
	'"content-type":"text/plain"',
	',"body":"\u0000a\u0000","encoding":"text"', 'NUL is text');

# Bytes.

for (['/w==', 1], ['/wA=', 2], ['/wD/', 3], ['w6k/wA==', 4]) {
	is_reply(reply('type=image/png&base64=' . RestClient::escaped($_->[0])),
		200, '"content-type":"image/png"',
		qq/,"body":"$_->[0]","encoding":"base64"/, "$_->[1] bytes");
}

# No body.

for (['GET', 'status=204'], ['GET', 'status=304'], ['DELETE', 'status=204'],
	['OPTIONS', 'status=204'])
{
	is_reply(reply($_->[1], $_->[0]), $_->[1] =~ /(\d+)/, '', '', "@$_");
}

is_reply(reply('body=', 'GET'), 200, '"content-type":"text/plain"', '',
	'an empty body');
is_reply(reply('type=application/json&body='), 200, $type, '', 'empty JSON');
is_reply(reply('body=&framing=chunked'), 200, '"content-type":"text/plain"',
	'', 'an empty chunked body');
is_reply(reply('size=1000', 'HEAD'), 200, '"content-type":"text/plain"', '',
	'HEAD');
is_reply(reply('size=1000&framing=chunked', 'HEAD'), 200,
	'"content-type":"text/plain"', '', 'HEAD, chunked');
is_reply($s->raw('{"id":1,"method":"HEAD","path":"/text"}'), 200,
	'"content-type":"text/plain"', '', 'HEAD of "return"');
is_reply($s->raw('{"id":1,"path":"/empty"}'), 200,
	'"content-type":"text/plain"', '', '"return" without a text');

# Framings are all the same.

for my $framing (qw/length chunked close/) {
	is_reply(reply("framing=$framing&size=20"), 200,
		'"content-type":"text/plain"',
		',"body":"01234567890123456789","encoding":"text"', "$framing");
	is_reply(reply("framing=$framing&size=20&pause=20"), 200,
		'"content-type":"text/plain"',
		',"body":"01234567890123456789","encoding":"text"',
		"$framing, in two parts");
}

# Statuses and nginx's own responses.

is_reply(reply("status=$_&type=application/json&body={}"), $_, $type,
	',"body":{}', "status $_") for qw/200 201 202 299 400 401 403 404 409 418 422 429
	500 502 503 504 599/;
is_reply($s->raw('{"id":1,"path":"/text"}'), 200, '"content-type":"text/plain"',
	",\"body\":\"caf\xc3\xa9\\n\",\"encoding\":\"text\"", '"return"');
like($s->raw('{"id":1,"path":"/moved"}'),
	qr!^\{"id":1,"status":301,"headers":\{.*"location":"[^"]*/elsewhere"!,
	'a redirect goes to the client');

# The methods.

for my $method (qw/GET POST PUT PATCH DELETE OPTIONS/) {
	is($s->call({method => $method, path => '/api/m'})->{body}{method},
		$method, "method $method");
}

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: the errors of the gateway, word by word.

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
        ws_route known GET /api/$ws_arg_x;
        ws_request_timeout 100ms;
        ws_max_response 100;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/close {
        return 444;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);

sub fails {
	my ($message, $id, $status, $error, $text, $name) = @_;
	$text =~ s/"/\\"/g;
	my $shown = defined $id ? qq/"id":$id,/ : '';
	is($s->raw($message),
		qq/{$shown"status":$status,"error":"$error","message":"$text"}/,
		$name // substr $message, 0, 60);
}

# What is no JSON.

fails($_, 'null', 400, 'bad_json', 'the message is not JSON')
	for '', ' ', 'hello', '{', '}', '{"id":1', '{"id":1,}', "{'id':1}",
	'{"id":1} {"id":2}', '{"id":01}', '{"id":"a', '{id:1}', '{"id":.5}',
	"{\"id\":\"a\nb\"}", '{"id":1,"path":"\x"}', "\0", "\xef\xbb\xbf{\"id\":1}",
	'[', '[' x 100, '{"a":' x 100, 'NaN', '{"id":NaN}', '{"id":1e}', '"',
	'//', '{"id":"\ud8"}';

# JSON that is no call.

fails($_, 'null', 400, 'bad_message', 'not an object with each member once')
	for '[]', '[1]', '1.5', '"x"', 'true', 'null',
	'[1,"GET","/api/",null,null,null,null,null]',
	'["x","GET","/api/",null,null,null,null,null]', '[1,2,3,4,5,6,7,8,9]',
	'[' . '1,' x 100_000 . '1]',
	'{"id":1,"id":2,"path":"/api/"}', '{"path":"/api/","path":"/api/"}',
	'{"id":1,"path":"/api/","p\u0061th":"/else"}',
	'{"body":1,"body":1,"path":"/api/"}';
fails("{\"id\":$_,\"path\":\"/api/\"}", 'null', 400, 'bad_message',
	'"id" is not a string or number') for 'true', 'false', '{}', '[]', '[1]',
	'{"id":1}';
fails('{"id":"' . 'x' x 1023 . '"}', 'null', 400, 'bad_message',
	'"id" is too long');

for (
	['', 'neither "path" nor "action"'],
	['"path":null', 'neither "path" nor "action"'],
	['"path":"/api/","action":"known"', 'both "path" and "action"'],
	['"path":1', '"path" is not a string'],
	['"path":["/api/"]', '"path" is not a string'],
	['"path":"\ud800"', '"path" is not a string'],
	['"path":"/api/","method":1', '"method" is not a string'],
	['"path":"/api/","method":"get"', 'unknown "method"'],
	['"path":"/api/","method":"TRACE"', 'unknown "method"'],
	['"path":"/api/","method":"CONNECT"', 'unknown "method"'],
	['"path":"/api/","method":""', 'unknown "method"'],
	['"path":"/api/","method":"GET "', 'unknown "method"'],
	['"path":"/api/","method":"GET / HTTP/1.1\r\nX: y"', 'unknown "method"'],
	['"path":"/api/","params":{}', '"params" without "action"'],
	['"action":"known","method":"GET"', '"method" with "action"'],
	['"action":1', '"action" is not a string'],
	['"action":"known","params":[]',
		'"params" is not an object with each member once'],
	['"action":"known","params":"x"',
		'"params" is not an object with each member once'],
	['"action":"known","params":{"x":1,"x":2}',
		'"params" is not an object with each member once'],
	['"action":"known","params":{"x":{}}',
		'a member of "params" is not a plain value'],
	['"action":"known","params":{"x":[1]}',
		'a member of "params" is not a plain value'],
	['"action":"known"', 'a parameter is missing'],
	['"action":"known","params":{"x":null}', 'a parameter is missing'],
	['"action":"known","params":{"x":"a/b"}',
		'a parameter is not a path segment'],
	['"path":"/api/","encoding":"text"', '"encoding" without "body"'],
	['"path":"/api/","encoding":1,"body":1', '"encoding" is not a string'],
	['"path":"/api/","encoding":"gzip","body":"x"', 'unknown "encoding"'],
	['"path":"/api/","encoding":"text","body":1', '"body" is not a string'],
	['"path":"/api/","encoding":"text","body":"\udc00"',
		'"body" is not a string'],
	['"path":"/api/","encoding":"base64","body":1', '"body" is not a string'],
	['"path":"/api/","encoding":"base64","body":"a"', '"body" is not base64'],
	['"path":"/api/","encoding":"base64","body":"YQ= ="',
		'"body" is not base64'],
	['"path":"/api/","encoding":"base64","body":"Y Q=="',
		'"body" is not base64'],
	['"path":"/api/","headers":1',
		'"headers" is not an object of strings, each name once'],
) {
	my ($members, $text) = @$_;
	my $comma = $members ? ',' : '';
	fails("{\"id\":7$comma$members}", 7, 400, 'bad_message', $text);
	fails("{$members}", 'null', 400, 'bad_message', $text);
}

fails(qq/{"id":7,"path":"$_"}/, 7, 400, 'bad_message', 'invalid "path"')
	for '', 'api/', 'http://localhost/api/', '*', '/api/ x', '/api/\r\nX: y',
	'/api/\u0000', '/api/\t', '/api/\u007f', '/api/#x', ' /api/',
	'/api/' . 'x' x 8188;

# Headers, places, bytes.

fails('{"id":7,"path":"/api/","headers":{"Accept":"x"}}', 7, 400,
	'header_not_allowed', 'a header is not in ws_client_headers or not valid');
fails($_, 7, 404, 'not_found', 'no such path or action here')
	for '{"id":7,"path":"/"}', '{"id":7,"path":"/apiary"}',
	'{"id":7,"path":"/ws"}', '{"id":7,"action":"unknown"}',
	'{"id":7,"action":""}', '{"id":7,"action":"KNOWN","params":{"x":1}}';
fails('{"path":"/"}', undef, 404, 'not_found', 'no such path or action here',
	'no id, none in the reply');

$s->binary('{"id":7,"path":"/api/"}');
is($s->reply, '{"status":415,"error":"binary_not_supported",'
	. '"message":"a call is a JSON text message"}', 'a binary message');
$s->binary('');
is($s->decoded->{status}, 415, 'an empty binary message');

# Responses that are none.

fails('{"id":7,"path":"/api/?size=101"}', 7, 502, 'response_too_large',
	'the response exceeds ws_max_response');
is($s->status_of('/api/?size=100'), 200, 'one byte less');
fails("{\"id\":7,\"path\":\"/api/$_\"}", 7, 502, 'backend_failed',
	'the response is incomplete') for 'close', '?size=50&cut=40',
	'?size=50&cut=40&framing=chunked', '?size=50&framing=chunked&cut=0';
fails('{"id":7,"path":"/api/?fault=hang"}', 7, 504, 'timeout',
	'no response within ws_request_timeout');

# None of it costs the socket.

is($s->status_of('/api/?size=1'), 200, 'the socket stays');
$s->close(1000);
is($s->read, 'close:1000', 'to its end');

$t->finish;

###############################################################################

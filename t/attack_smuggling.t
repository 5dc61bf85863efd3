#!/usr/bin/perl

# Tests for WebSocket under attack: messages that try to become more or other
# than one request, or one response.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use IO::Select;
use IO::Socket::IP;
use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;

# The backend: what it receives is looked at byte for byte.
my $backend = IO::Socket::IP->new(Listen => 64, LocalHost => '127.0.0.1',
	LocalPort => $t->port('backend')) or die "listen: $!\n";

$t->run(<<'EOF');

upstream backend {
    server 127.0.0.1:%%PORT_backend%%;
    keepalive 1;
}

server {
    listen 127.0.0.1:%%PORT%%;

    ws_client_headers X-Custom Authorization Cookie;
    ws_response_headers x-answer location;

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host backend;

    location /ws {
        ws_rest /api/;
        ws_route user GET /api/user/$ws_arg_id?from=$ws_arg_from;
        ws_route make POST /api/make/$ws_arg_id;
    }

    location /others {
        ws_rest /others/;
    }

    location /others/ {
        return 200 fine;
    }

    location /api/ {
        proxy_pass http://backend;
    }

    location /api/replaced/ {
        proxy_pass http://backend/new/;
    }

    location /api/rewritten/ {
        rewrite (?s)^/api/rewritten/(.*) /api/$1 break;
        proxy_pass http://backend;
    }

    location /api/named/ {
        proxy_set_header Host backend;
        proxy_set_header Connection "";
        proxy_set_header X-Path $request_uri;
        proxy_set_header X-Query $args;
        proxy_pass http://backend;
    }

    location /api/redirect/ {
        return 302 /elsewhere?$args;
    }
}

EOF

###############################################################################

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];
my $connection;

# Takes what nginx sends until it is quiet, on one connection; a second one
# would be a second request.

sub received {
	my ($seconds) = @_;
	my $bytes = '';
	my $quiet = IO::Select->new($backend, $connection // ());
	while (my @ready = $quiet->can_read($seconds)) {
		for my $ready (@ready) {
			if ($ready == $backend) {
				my $new = $backend->accept or die "accept: $!\n";
				$bytes .= '[another connection]' if $connection;
				$quiet->add($connection = $new);
			} elsif (!sysread $ready, $bytes, 65536, length $bytes) {
				$quiet->remove($ready);
				close $ready;
				undef $connection;
			}
		}
		# The first bytes may take a while to come, the others not.
		$seconds = 0.02 * $slow;
	}
	return $bytes;
}

sub request {
	my ($line, @headers) = @_;
	my $body = @headers && ref $headers[-1] ? ${pop @headers} : '';
	return join("\r\n", "$line HTTP/1.1", 'Host: backend', @headers, '', '')
		. $body;
}

my $s = RestClient->open($t);

# A message becomes just this request, and its answer just one reply.

my $answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
my $passed = 0;

sub becomes {
	my ($message, $expected, $name, %o) = @_;
	$name //= $message =~ s/\s+/ /gr;
	$s->send($message);
	is(received(10), $expected, $name);
	syswrite $connection, $o{answer} // $answer if $connection;
	my $reply = $s->reply;
	is($reply, $o{reply} // '{"id":1,"status":200,"headers":{},"body":"ok",'
		. '"encoding":"text"}', "reply: $name");
	$passed++;
}

# A message becomes no request at all.

my @refused;

sub refused {
	my ($message, $status, $error) = @_;
	my $reply = $s->call($message);
	is(join(' ', $reply->{status}, $reply->{error} // ''), "$status $error",
		$message =~ s/(.{100}).*/$1/sr);
	push @refused, $message;
}

sub nothing {
	my ($name) = @_;
	is(received(0.1), '', "$name: nothing reaches the backend");
}

my ($peak, $cpu) = ($t->peak($worker), $t->cpu($worker));
my $others = Bystander->new($t, path => '/others',
	message => '{"path":"/others/"}', answer => '{"status":200,"headers":{},'
		. '"body":"fine","encoding":"text"}');

becomes('{"id":1,"path":"/api/x"}', request('GET /api/x'), 'an ordinary one');

# Through headers: names that say where a request ends, or whose it is.

refused(qq({"id":1,"path":"/api/x","headers":{"$_->[0]":"$_->[1]"}}), 400,
	'header_not_allowed') for
	['Content-Length', '0'], ['content-length', '5'],
	['Transfer-Encoding', 'chunked'], ['transfer-encoding', 'identity'],
	['TRANSFER-ENCODING', 'xchunked'], ['Transfer-Encoding ', 'chunked'],
	[' Transfer-Encoding', 'chunked'], ['Transfer\u002dEncoding', 'chunked'],
	['Transfer_Encoding', 'chunked'], ['Host', 'evil'], ['host', 'evil'],
	['\u0048ost', 'evil'], [':authority', 'evil'], [':path', '/evil'],
	['Connection', 'keep-alive, X-Custom'], ['Upgrade', 'h2c'],
	['HTTP2-Settings', 'x'], ['Expect', '100-continue'], ['TE', 'trailers'],
	['Trailer', 'X'], ['Proxy-Connection', 'close'], ['Keep-Alive', '1'],
	['X-Forwarded-Host', 'evil'], ['X-Forwarded-For', '127.0.0.1'], ['X-Original-URL', '/evil'],
	['X-Http-Method-Override', 'DELETE'], ['', 'x'], ['\u0000', 'x'],
	['X-Custom\r\nTransfer-Encoding', 'chunked'], ['X-Custom:', 'x'],
	['X-Custom\u0000', 'x'], ["X-Custom\xc2\xa0", 'x'],
	["X-Custo\xc5\xbf", 'x'];

# Through their values: another line, or another request.

my $second = 'GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n';

refused(qq({"id":1,"path":"/api/x","headers":{"X-Custom":"$_"}}), 400,
	'header_not_allowed') for
	'a\r\nTransfer-Encoding: chunked', 'a\r\n\r\n' . $second, 'a\nHost: evil',
	'a\rHost: evil', '\r\n', '\n', 'a\u0000', '\u0000', 'a\u000aHost: evil',
	'a\u000d\u000aContent-Length: 99', 'a\u000b', 'a\u007f', 'a\r\n b';

# What only looks like it is a value.

becomes(qq({"id":1,"path":"/api/x","headers":{"X-Custom":"$_->[0]"}}),
	request('GET /api/x', "X-Custom: $_->[1]")) for
	['a%0d%0aHost: evil', 'a%0d%0aHost: evil'],
	['a\\\\r\\\\nHost: evil', 'a\r\nHost: evil'],
	# U+560A and U+560D end in the bytes of LF and CR.
	['a\u560d\u560aHost: evil', "a\xe5\x98\x8d\xe5\x98\x8aHost: evil"],
	["a\xc2\x85b\xe2\x80\xa8c", "a\xc2\x85b\xe2\x80\xa8c"],
	['chunked, Transfer-Encoding: chunked',
		'chunked, Transfer-Encoding: chunked'],
	['', ''];

# Each header once, in place of that of the handshake.

becomes('{"id":1,"path":"/api/x","headers":{"authorization":"Basic eDp5",'
	. '"Cookie":"a=1; b=2"}}', request('GET /api/x', 'Cookie: a=1; b=2',
	'authorization: Basic eDp5'), 'two headers');
refused('{"id":1,"path":"/api/x","headers":{"X-Custom":"a","x-custom":"b"}}',
	400, 'bad_message');

nothing('through headers');
$others->ask;

# Through the path.

refused(qq({"id":1,"path":"$_"}), 400, 'bad_message') for
	'/api/x HTTP/1.1\r\nHost: evil\r\n\r\n', '/api/x\r\nTransfer-Encoding: chunked',
	'/api/x\nHost: evil', '/api/x\rHost: evil', '/api/x HTTP/1.0', '/api/x ',
	' /api/x', '/api/\t', '/api/x\u0000', '/api/x#y', 'http://evil/api/x',
	'GET /evil', '*', 'evil:80', '', '/api/x?a b', '/api/x?\r\n\r\n' . $second,
	'/api/\u007f';
refused(qq({"id":1,"path":"/api/$_"}), 400, 'bad_message') for '%00', '%', '%zz',
	'..%2f..%2f..%2fevil';
refused(qq({"id":1,"path":"$_"}), 404, 'not_found') for '//evil/api/x',
	'/\\\\evil/api/x', '/api/%2e%2e/evil', '/api/..%2fevil',
	'/api/x/..%2f..%2fevil';

nothing('through the path');

# The bytes that nginx decodes are encoded again.

my %paths = (
	'/api/%0d%0aHost:%20evil' => '/api/%0d%0aHost:%20evil',
	'/api/x%20HTTP/1.1%0d%0a%0d%0aGET%20/evil'
		=> '/api/x%20HTTP/1.1%0d%0a%0d%0aGET%20/evil',
	'/api/x?a=%0d%0a%0d%0aGET%20/evil' => '/api/x?a=%0d%0a%0d%0aGET%20/evil',
	'/api/replaced/%0d%0aHost:%20evil' => '/new/%0D%0AHost:%20evil',
	'/api/replaced/x%20HTTP/1.1%0a%0a?a=%0d%0a'
		=> '/new/x%20HTTP/1.1%0A%0A?a=%0d%0a',
	'/api/replaced/%3fa%23b' => '/new/%3Fa%23b',
	'/api/rewritten/%0d%0aHost:%20evil' => '/api/%0D%0AHost:%20evil',
	'/api/rewritten/x%0a?b=%0d%0a' => '/api/x%0A?b=%0d%0a',
);
becomes(qq({"id":1,"path":"$_"}), request("GET $paths{$_}")) for sort keys %paths;
becomes('{"id":1,"path":"/api/named/x%0d%0aY:%20z?a=%0d%0aHost:%20evil"}',
	request('GET /api/named/x%0d%0aY:%20z?a=%0d%0aHost:%20evil',
		'X-Path: /api/named/x%0d%0aY:%20z?a=%0d%0aHost:%20evil',
		'X-Query: a=%0d%0aHost:%20evil'), 'variables of nginx');

# Through the method.

refused(qq({"id":1,"method":"$_","path":"/api/x"}), 400, 'bad_message') for
	'get', 'GET ', 'GET /evil HTTP/1.1\r\n', 'POST\r\n', 'CONNECT', 'TRACE',
	'PRI', '', 'GET\u0000', 'PROPFIND';

# Through the parameters of a route: they stay in their place.

becomes('{"id":1,"action":"user","params":{"id":"a b?c#d&e=f\r\nHost: evil",'
	. '"from":"x&to=y HTTP/1.1\r\n\r\n","other\r\n":"\u0000&"}}',
	request('GET /api/user/a%20b%3Fc%23d%26e%3Df%0D%0AHost%3A%20evil'
		. '?from=x%26to%3Dy%20HTTP%2F1.1%0D%0A%0D%0A&other%0D%0A=%00%26'),
	'parameters');
refused(qq({"id":1,"action":"user","params":{"id":"$_","from":""}}), 400,
	'bad_message') for '..', '.', 'a/../../evil', '/', '', '\u0000', 'a\u0000b';
refused('{"id":1,"action":"make\r\nX: y","params":{"id":"x"}}', 404,
	'not_found');

nothing('through method and parameters');

# Through the body: its length is that of its bytes, whatever they are, and
# whatever the method.

my $evil = "GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n";

sub with_body {
	my ($method, $members, $bytes, $type) = @_;
	becomes(qq({"id":1,"method":"$method","path":"/api/x",$members}),
		request("$method /api/x", 'Content-Length: ' . length $bytes,
			"Content-Type: $type", \$bytes), "$method with $members" =~ s/\s+/ /gr,
		$method eq 'HEAD' ? (answer => "HTTP/1.1 200 OK\r\n\r\n",
			reply => '{"id":1,"status":200,"headers":{}}') : ());
}

for my $method (qw/GET HEAD POST PUT PATCH DELETE OPTIONS/) {
	with_body($method, qq("encoding":"text","body":"$second"), $evil,
		'text/plain; charset=utf-8');
}
with_body('POST', '"encoding":"text","body":"0\r\n\r\n' . $second . '"',
	"0\r\n\r\n$evil", 'text/plain; charset=utf-8');
with_body('POST', '"encoding":"text","body":"\u20ac\ud83d\ude00\u0000"',
	"\xe2\x82\xac\xf0\x9f\x98\x80\0", 'text/plain; charset=utf-8');
with_body('POST', '"encoding":"text","body":""', '',
	'text/plain; charset=utf-8');
with_body('POST', '"encoding":"base64","body":"DQoNCkdFVCAvZXZpbA=="',
	"\r\n\r\nGET /evil", 'application/octet-stream');
with_body('POST', "\"body\": \t[1,\r\n\"\\r\\n\"]\r\n", "[1,\r\n\"\\r\\n\"]",
	'application/json');
with_body('GET', '"body":0', '0', 'application/json');
becomes('{"id":1,"action":"make","params":{"id":"x"},"body":{"a":"' . $second
	. '"}}', request('POST /api/make/x', 'Content-Length: '
		. length("{\"a\":\"$second\"}"), 'Content-Type: application/json',
		\"{\"a\":\"$second\"}"), 'a body for a route');
$others->ask;

# Through the handshake, whose headers the messages inherit.

for my $header ('Content-Length: 5', 'Transfer-Encoding: chunked',
	'Content-Length: x', "Content-Length: 0\r\nTransfer-Encoding: chunked",
	'Transfer-Encoding : chunked', "Content-Length: 5\r\nContent-Length: 6",
	"Host: evil")
{
	my $handshake = RestClient->connect(port => $t->port,
		headers => [$header], more => $evil);
	is($handshake->status, 400, 'handshake with ' . $header =~ s/\r\n/ and /r);
}
nothing('through a handshake that is none');

$s = RestClient->open($t, '/ws', headers => ['Content-Length: 0',
	'Connection: X-Custom', 'Keep-Alive: 1', 'Proxy-Connection: close',
	'TE: trailers', 'Trailer: X', 'Content-Type: text/evil',
	'Content-Encoding: gzip', 'Range: bytes=0-1', 'If-Match: *',
	'If-None-Match: *', 'If-Modified-Since: x', 'Accept-Encoding: gzip',
	'Sec-WebSocket-Protocol: x', 'X-Custom: old', 'X_Custom: lost',
	'X-Other: kept']);
becomes('{"id":1,"path":"/api/x"}', request('GET /api/x', 'X-Custom: old',
	'X-Other: kept'), 'headers of the handshake alone');
becomes('{"id":1,"method":"POST","path":"/api/x","headers":{"X-Custom":"new"},'
	. '"body":1}', request('POST /api/x', 'Content-Length: 1', 'X-Other: kept',
	'X-Custom: new', 'Content-Type: application/json', \'1'),
	'and with those of a message');

# Response splitting: what a backend answers stays inside of its reply.

becomes('{"id":1,"path":"/api/x"}', request('GET /api/x', 'X-Custom: old',
	'X-Other: kept'), 'an answer with a frame in it',
	answer => "HTTP/1.1 200 OK\r\nX-Answer: \"},\"id\":2,\"\x81\x05hello\r\n"
		. "Content-Type: application/json\r\nContent-Length: 14\r\n\r\n"
		. "{}},{\"id\":2}{}\n",
	reply => '{"id":1,"status":200,"headers":{"x-answer":'
		. '"\"},\"id\":2,\"' . "\xef\xbf\xbd" . '\u0005hello"},"body":"{}},{\"id\":2}{}",'
		. '"encoding":"text"}');

$others->served;

# What a client sends comes back in a header only as text of JSON.

my $reply = $s->call('{"id":1,"path":"/api/redirect/?%0d%0aX:%20y&\u00e9"}');
is($reply->{status}, 302, 'a redirect');
is($reply->{headers}{location}, '/elsewhere?%0d%0aX:%20y&%C3%A9',
	'with what the client has sent');

# All that has reached the backend were requests that were expected, and the
# attempts were cheap.

my $grown = $t->peak($worker) - $peak;
$cpu = $t->cpu($worker) - $cpu;
note(sprintf '%d requests passed, %d messages refused: memory %d kB, '
	. 'CPU %.1f ms', $passed, scalar @refused, $grown, 1000 * $cpu);
$t->uses($grown, 1024, 'kilobytes of memory');
cmp_ok($cpu, '<', 1 * $slow, 'seconds of CPU');

# Again, as a flood.

($peak, $cpu) = ($t->peak($worker), $t->cpu($worker));
my $times = 0;
for my $message ((@refused) x 20) {
	$s->send($message);
	$s->reply;
	$times++;
}
$grown = $t->peak($worker) - $peak;
$cpu = $t->cpu($worker) - $cpu;
note(sprintf 'refused %d times: memory %d kB, CPU %.3f ms each', $times, $grown,
	1000 * $cpu / $times);
$t->uses($grown, 512, 'kilobytes of memory for a flood');
cmp_ok($cpu / $times, '<', 0.001 * $slow, 'seconds of CPU for each');
nothing('a flood of all that was refused');

$t->finish;

###############################################################################

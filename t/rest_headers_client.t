#!/usr/bin/perl

# Tests for ws_rest: ws_client_headers lets a message set headers.

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
        ws_rest /;
        ws_client_headers Authorization cookie X-Custom Accept User-Agent
            Accept-Language;
    }

    location /none {
        ws_rest /;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /variables {
        return 200 "$http_authorization|$remote_user|$http_cookie|$cookie_a|$cookie_b|$http_x_custom|$http_user_agent|$http_accept";
    }
}

EOF

###############################################################################

my @handshake = ('Authorization: Basic dTpw', 'Cookie: a=1; b=2',
	'X-Custom: old', 'X-Other: other', 'User-Agent: old', 'Accept: old',
	'Cookie: c=3', 'X-Custom: older');
my $s = RestClient->open($t, '/ws', headers => \@handshake);

sub with {
	my ($headers, $path) = @_;
	return $s->call({id => 1, path => $path // '/api/', headers => $headers});
}

sub variables { with($_[0], '/variables')->{body} }

my %new = ('Authorization' => 'Basic bjpx', 'Cookie' => 'b=9',
	'X-Custom' => 'new', 'User-Agent' => 'new', 'Accept' => 'new',
	'Accept-Language' => 'de');

my $old_variables =
	'Basic dTpw|u|a=1; b=2; c=3|1|2|old, older|old|old';

is(variables({}), $old_variables, 'without headers');

# The backend sees a replaced header once, and nginx the same.

for my $name (sort keys %new) {
	for my $spelling ($name, lc $name, uc $name) {
		my $reply = with({$spelling => $new{$name}});
		is(join('; ', RestClient::received($reply, $name)), $new{$name},
			"$spelling is replaced");
		is(join('; ', RestClient::received($reply, 'X-Other')), 'other',
			"$spelling replaces no other");
	}
}

is(variables(\%new), 'Basic bjpx|n|b=9||9|new|new|new', 'all at once');
is(variables({'authorization' => ''}), '||a=1; b=2; c=3|1|2|old, older|old|old',
	'an empty value');
is(variables({}), $old_variables, 'the next message has the old ones');

# Values are bytes of UTF-8, tabs may be in them.

for my $value ("a\tb", "caf\x{e9} \x{20ac}", 'x' x 8000, '  spaced  ', '"\\%0d') {
	my ($got) = RestClient::received(with({'X-Custom' => $value}), 'X-Custom');
	# The backend takes bytes for Latin-1.
	utf8::encode(my $bytes = $value);
	is($got, $bytes, 'value ' . substr $bytes, 0, 10)
		if $value !~ /^ /;
	is($got =~ s/^ +| +$//gr, 'spaced', 'value with spaces')
		if $value =~ /^ /;
}

# What cannot be a header, or must not be.

# Requests alone: "answered" of the last one may still come.
sub requests { scalar grep { /^GET / } RestClient::seen($t) }

my $before = requests();
my $refused = '{"id":1,"status":400,"error":"header_not_allowed","message":'
	. '"a header is not in ws_client_headers or not valid"}';

for my $headers ('"X-Other":"x"', '"x-custom ":"x"', '"X-Custom:":"x"',
	'"X-Custom: a\r\nX-Other":"x"', '"":"x"', '"x-custom\u0000":"x"',
	'"Host":"x"', '"Content-Length":"1"', '"Transfer-Encoding":"chunked"',
	'"Connection":"close"', '"Upgrade":"websocket"', '"x_custom":"x"',
	'"X-Custom":"a\r\nX-Other: b"', '"X-Custom":"a\nb"', '"X-Custom":"a\rb"',
	'"X-Custom":"\n"', '"X-Custom":"a\u0000b"', '"X-Custom":"\u007f"',
	'"X-Custom":"\u001f"', '"X-Custom":"\b"',
	'"X-Custom":"x","X-Other":"x"')
{
	is($s->raw(qq/{"id":1,"path":"\/api\/","headers":{$headers}}/), $refused,
		"headers $headers");
}

my $strings = '{"id":1,"status":400,"error":"bad_message","message":'
	. '"\"headers\" is not an object of strings, each name once"}';

for my $headers ('[]', '"x"', '1', '["X-Custom","x"]', '{"X-Custom":1}',
	'{"X-Custom":null}', '{"X-Custom":["x"]}', '{"X-Custom":{}}',
	'{"X-Custom":"a","X-Custom":"b"}', '{"X-Custom":"\ud800"}',
	'{"X-Custom":"a","x-custom":"b"}',
	'{"Authorization":"Basic dTpw","authorization":"Basic bjpx"}',
	'{"cookie":"a=1","Cookie":"a=2"}')
{
	is($s->raw(qq/{"id":1,"path":"\/api\/","headers":$headers}/), $strings,
		"headers $headers");
}

is(requests(), $before, 'the backend has seen none of these');

# Without the directive, no header at all.

$s = RestClient->open($t, '/none', headers => \@handshake);
is($s->raw('{"id":1,"path":"/api/","headers":{"Accept":"x"}}'), $refused,
	'no ws_client_headers');
is($s->raw('{"id":1,"path":"/api/?body=x","headers":{}}'), '{"id":1,"status":200,'
	. '"headers":{"content-type":"text/plain"},"body":"x","encoding":"text"}',
	'an empty object asks for none');

# Names that would let a client reshape the request.

$t->rejects("ws_client_headers $_", qq/"ws_client_headers" directive cannot/
	. qq/ allow "$_": it belongs to nginx/, "ws_client_headers Accept $_;")
	for qw/Host Content-Length content-types CONTENT-MD5 Transfer-Encoding
		Connection Upgrade Expect TE Trailer Keep-Alive Proxy-Connection
		Range If-Modified-Since if-unmodified-since If-Range Accept-Encoding
		Sec-WebSocket-Key sec-websocket-anything/;
$t->rejects("ws_client_headers $_", qq/"ws_client_headers" directive invalid/
	. qq/ header name "/ . s/"//gr . '"', "ws_client_headers $_;")
	for 'a,b', '"a b"', '""', 'a:', '"\xe9"';
$t->rejects("$_ twice", qq/"$_" directive is duplicate/, "$_ a; $_ b;")
	for qw/ws_client_headers ws_response_headers/;
$t->rejects("ws_response_headers with an invalid name",
	'"ws_response_headers" directive invalid header name "a b"',
	'ws_response_headers "a b";');
$t->rejects("$_ without a name",
	qq/invalid number of arguments in "$_" directive/, "$_;")
	for qw/ws_client_headers ws_response_headers/;

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: hostile messages are answered, or close the socket, and
# cost little.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    client_max_body_size 0;

    location /ws {
        ws_rest /api/;
        ws_route act GET /api/$ws_arg_x;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/now {
        return 200 now;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);
my $worker = ($t->workers)[0];
my $mb = 1 << 20;

sub answer {
	my ($message) = @_;
	my $reply = $s->call($message);
	return join ' ', grep { defined } @$reply{qw/id status error/};
}

$s->call('{"path":"/api/now"}');
my $start = time;

# Depth.

for my $depth (10_000, 500_000) {
	my ($open, $close) = ('[' x $depth, ']' x $depth);
	my ($begin, $end) = ('{"a":' x ($depth / 5), '}' x ($depth / 5));

	is(answer($open), '400 bad_json', "$depth [");
	is(answer("$open$close"), '400 bad_message', "$depth [ and ]");
	is(answer($begin), '400 bad_json', "@{[$depth / 5]} {");
	is(answer("{\"id\":1,\"path\":\"/api/now\",\"x\":$open$close}"), '1 200',
		"$depth levels in an unknown member");
	is(answer("{\"id\":$open$close,\"path\":\"/api/now\"}"),
		'400 bad_message', "$depth levels in the id");
	is(answer("{\"id\":1,\"path\":$open$close}"), '1 400 bad_message',
		"$depth levels in the path");
	is(answer("{\"id\":1,\"headers\":$open$close,\"path\":\"/api/now\"}"),
		'1 400 bad_message', "$depth levels in the headers");
	is(answer("{\"id\":1,\"headers\":{\"a\":$open$close},\"path\":\"/api/now\"}"),
		'1 400 bad_message', "$depth levels in a header");
	is(answer("{\"id\":1,\"action\":\"act\",\"params\":{\"x\":$open$close}}"),
		'1 400 bad_message', "$depth levels in a parameter");
	is(answer("{\"id\":1,\"path\":\"/api/now\",\"body\":$open$close}"), '1 200',
		"$depth levels in the body");
	is($s->call("{\"method\":\"POST\",\"path\":\"/api/\",\"body\":1null}")
		->{error}, 'bad_json', 'half a number');
}

# Depth in a response.

my $deep = '[' x 3000 . ']' x 3000;
like($s->raw("{\"path\":\"/api/?type=application/json&body=$deep\"}"),
	qr/"body":\Q$deep\E\}$/, 'a deep response');

# A megabyte of nothing but ...

is(answer(substr $_ x $mb, 0, $mb), '400 bad_json', "1 MB of $_")
	for '[', '{', '\\', '-', ' ', '[[],', '{"a":', "\0", '//';
like(answer(substr $_ x $mb, 0, $mb), qr/^400 bad_(?:json|message)$/,
	"1 MB of $_") for '"', '1', '{}', '[1,', '"\u0000",';
is(answer('[' . '1,' x ($mb / 2 - 2) . '1]'), '400 bad_message',
	'a long array');
is(answer('{' . join(',', map { "\"m$_\":1" } 1 .. 80_000) . '}'),
	'400 bad_message', 'many unknown members');
is(answer('{"id":1,"path":"/api/now","headers":{' . join(',', map
	{ "\"m$_\":\"\"" } 1 .. 60_000) . '}}'), '1 400 bad_message',
	'many headers');
is(answer('{"id":1,"action":"act","params":{' . join(',', map { "\"m$_\":1" }
	1 .. 60_000) . '}}'), '1 400 bad_message', 'many parameters');
is(answer('{"id":1,"path":"' . 'x' x 1_000_000 . '"}'), '1 400 bad_message',
	'a long path');
is(answer('{"id":1,"action":"' . '\u0061' x 150_000 . '"}'), '1 404 not_found',
	'a long action');
is(answer('{"id":1,"method":"' . 'G' x 1_000_000 . '","path":"/"}'),
	'1 400 bad_message', 'a long method');

# Members twice, however they are written.

is(answer($_), '400 bad_message', $_) for
	'{"path":"/api/now","path":"/api/now"}',
	'{"path":"/api/now","\u0070ath":"/x"}',
	'{"id":1,"id":1,"path":"/api/now"}',
	'{"path":"/api/now","headers":{},"headers":{}}';
is(answer('{"id":1,"x":1,"x":2,"path":"/api/now"}'), '1 200',
	'an unknown member twice');
is(answer('{"id":1,"PATH":"/x","Path":"/y","path":"/api/now"}'), '1 200',
	'names are case-sensitive');

# Ids.

for my $id ('0', '-0', '1.0', '-1.5e-300', '1e400', '123456789012345678901234567890',
	'""', '"a"', '"\u0061"', '"\ud800"', '"\ud83d\ude00"', "\"\xc3\xa9\"",
	'"\\\\\"\/\b\f\n\r\t"', "\"\x7f\"", "\"\xe2\x80\xa8\"", '"</script>"',
	'"' . 'x' x 1022 . '"', '9' x 1024)
{
	is($s->raw("{\"id\": $id ,\"path\":\"/api/now\"}"), "{\"id\":$id,"
		. '"status":200,"headers":{"content-type":"text/plain"},"body":"now",'
		. '"encoding":"text"}', 'id ' . substr $id, 0, 40);
}

is(answer("{\"id\":$_,\"path\":\"/api/now\"}"), '400 bad_message',
	'id ' . substr $_, 0, 20) for '"' . 'x' x 1023 . '"', '9' x 1025,
	'"' . 'x' x 1_000_000 . '"', 'true', '[]';
is(answer("{\"id\":$_,\"path\":\"/api/now\"}"), '400 bad_json', "id $_")
	for '01', '+1', '1.', '.1', '0x1', 'NaN', 'Infinity', "'a'", '-',
	'"\x"', '"\u12"', "\"\t\"";
is($s->raw('{"id":null,"path":"/api/now"}'), '{"status":200,"headers":'
	. '{"content-type":"text/plain"},"body":"now","encoding":"text"}',
	'null is no id');

# Surrogates alone cannot become UTF-8.

is(answer("{\"id\":1,$_}"), '1 400 bad_message', $_) for
	'"path":"/api/\ud800"', '"path":"/api/\udc00\ud800"',
	'"action":"\ud800"', '"action":"act","params":{"x":"\ud800"}',
	'"path":"/api/","headers":{"\ud800":"x"}',
	'"path":"/api/","encoding":"text","body":"\ud800"';

cmp_ok(time - $start, '<', 15 * $NginxWs::slow, 'in little time');

# A bit of everything, cut at every byte: an answer each.

my $whole = '{"id":"x","method":"POST","path":"/api/now?a","headers":{},'
	. '"body":{"a":[1,-2.5e3,"\u00e9\\\\",true,null]},"encoding":"json"}';
$s->write(join '', map { WsFrame::encode(1, substr $whole, 0, $_) }
	0 .. length($whole) - 1);
is((grep { $s->reply ne '{"id":null,"status":400,"error":"bad_json",'
	. '"message":"the message is not JSON"}' } 1 .. length $whole), 0,
	'cut at every byte');
is(answer($whole), 'x 200', 'whole');

is(join(' ', $s->close(1000)->read, $s->end), 'close:1000 eof',
	'the socket has stayed');

# Bytes that are no text close it.

for my $bytes ("\xff", "{\"id\":\"\xc3\"}", "{\"id\":\"\xed\xa0\x80\"}",
	"{\"id\":\"\xc0\xaf\"}", "{\"id\":\"\xf4\x90\x80\x80\"}")
{
	$t->closes(RestClient->open($t)->send($bytes), 1007,
		'invalid UTF-8 ' . unpack('H*', $bytes), 'invalid UTF-8');
}
$t->closes(RestClient->open($t)->send('[' x ($mb + 1)), 1009, 'too much');

# Memory follows the messages under way, and does not stay.

$s = RestClient->open($t);
my $before = $t->rss($worker);
for (1 .. 30) {
	$s->send('[' x $mb);
	$s->reply;
	$s->send('{"id":1,"path":"/api/now","body":' . '[' x 500_000
		. ']' x 500_000 . '}');
	$s->reply;
}
cmp_ok($t->rss($worker) - $before, '<', 8192, 'kilobytes for 60 MB');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: responses that a backend has compressed are decoded, or
# told of.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Compress::Zlib;
use MIME::Base64;
use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->write_file('file.json', '{}');
$t->write_file('file.json.gz', Compress::Zlib::memGzip('{"n":1.00}'));
$t->run(<<'EOT');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_max_response 10k;
    }

    location /told {
        ws_rest /;
        ws_response_headers content-encoding content-length etag;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /gunzip/ {
        gunzip on;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOT

###############################################################################

my $s = RestClient->open($t);
my $json = '{"n":1.00}';
my $gzip = Compress::Zlib::memGzip($json);
my $zlib = Compress::Zlib::compress($json);
my ($raw) = do {
	my ($d) = deflateInit(-WindowBits => -MAX_WBITS);
	my ($some) = $d->deflate($json);
	my ($rest) = $d->flush;
	$some . $rest;
};

sub path {
	my ($coding, $body, %more) = @_;
	return ($more{at} // '/api/') . '?type='
		. ($more{type} // 'application/json')
		. ($more{more} // '')
		. '&base64=' . RestClient::escaped(encode_base64($body, ''))
		. join '', map { '&header=Content-Encoding:'
			. RestClient::escaped($_) } ref $coding ? @$coding : $coding;
}

sub answer { $s->raw({path => path(@_)}) }

my $decoded = '{"status":200,"headers":{"content-type":"application/json"},'
	. "\"body\":$json}";
my $failed = '{"status":502,"error":"backend_failed","message":'
	. '"the response is incomplete"}';
my $large = '{"status":502,"error":"response_too_large","message":'
	. '"the response exceeds ws_max_response"}';

is(answer(@$_), $decoded, "$_->[0]") for ['gzip', $gzip], ['GZIP', $gzip],
	['x-gzip', $gzip], ['deflate', $zlib], ['deflate', $raw],
	['identity', $json], ['', $json];
is(answer('gzip', $gzip, more => '&framing=chunked'), $decoded, 'in chunks');
is(answer('gzip', Compress::Zlib::memGzip('{"n":') . Compress::Zlib::memGzip('1.00}')),
	$decoded, 'members');
is(answer('gzip', $gzip, at => '/gunzip/'), $decoded, 'by nginx itself');
is(answer('gzip', Compress::Zlib::memGzip("\xff"), type => 'image/png'),
	'{"status":200,"headers":{"content-type":"image/png"},"body":"/w==",'
	. '"encoding":"base64"}', 'what is no text is base64');

# What does not come in the coding that it says is no response.

is(answer('gzip', substr $gzip, 0, -1), $failed, 'cut');
is(answer('gzip', $json), $failed, 'not coded at all');
is(answer('deflate', $gzip), $failed, 'another coding');

# ws_max_response, before and after.

is(answer('gzip', Compress::Zlib::memGzip('x' x 10240))
	=~ /^\{"status":200/, 1, 'at the limit');
is(answer('gzip', Compress::Zlib::memGzip('x' x 10241)), $large, 'over it');
is(answer('gzip', Compress::Zlib::memGzip("\0" x 5_000_000)), $large, 'a bomb');

# Codings that are not known.

for my $coding ('br', 'zstd', 'compress', 'gzip, br') {
	is(answer($coding, $json), '{"status":200,"headers":{"content-type":'
		. "\"application/json\",\"content-encoding\":\"$coding\"},"
		. '"body":"' . encode_base64($json, '') . '","encoding":"base64"}',
		$coding);
}
like(answer(['gzip', 'br'], $json), qr/"content-encoding":"gzip, br"/,
	'in two lines');
is(answer('br', ''), '{"status":200,"headers":{"content-type":'
	. '"application/json"}}', 'nothing is in no coding');

# Headers that are about the coded body go with it; others stay.

$s = RestClient->open($t, '/told');
is(answer('gzip', $gzip, more => '&header=ETag:"x"'), '{"status":200,"headers":'
	. "{\"etag\":\"\\\"x\\\"\"},\"body\":$json}", 'decoded');
is(answer('br', $json), '{"status":200,"headers":{"content-length":"10",'
	. '"content-encoding":"br"},"body":"' . encode_base64($json, '')
	. '","encoding":"base64"}', 'not decoded');
is($s->raw({method => 'HEAD', path => path('gzip', $gzip)}),
	'{"status":200,"headers":{"content-length":"' . length($gzip)
	. '","content-encoding":"gzip"}}', 'HEAD');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: a message may say what its body is, and what it knows
# already, where ws_client_headers lets it.

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
$t->run(<<'EOT');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_client_headers Content-Type If-Match If-None-Match;
        ws_route add POST /api/add;
    }

    location /others {
        ws_rest /;
        ws_client_headers X-Custom;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /variables {
        return 200 "$content_type|$http_content_type|$http_if_none_match";
    }

    location = /file {
        alias %%TESTDIR%%/file;
    }
}

EOT

###############################################################################

my $s = RestClient->open($t, '/ws',
	headers => ['Content-Type: text/old', 'If-None-Match: "old"']);

sub seen {
	my ($headers, @call) = @_;
	my $reply = $s->call({method => 'POST', path => '/api/x', @call,
		headers => $headers});
	return join '|', map { join ', ', RestClient::received($reply, $_) }
		qw/Content-Type Content-Length If-Match If-None-Match/;
}

for my $name ('Content-Type', 'content-type', 'CONTENT-TYPE') {
	is(seen({$name => 'application/xml'}, body => '<a/>', encoding => 'text'),
		'application/xml|4||', "$name of text");
	is(seen({$name => 'application/merge-patch+json'}, body => {}),
		'application/merge-patch+json|2||', "$name of JSON");
	is(seen({$name => 'image/gif'}, body => '/w==', encoding => 'base64'),
		'image/gif|1||', "$name of bytes");
}
is(seen({}, body => {}), 'application/json|2||', 'without it');
is(seen({'Content-Type' => 'x/y'}), 'x/y|0||', 'without a body');
is(seen({'Content-Type' => 'x/y'}, method => 'GET'), 'x/y|||', 'GET');

my $reply = $s->call({action => 'add', params => {a => 1},
	headers => {'Content-Type' => 'application/x+json'}});
is(join('|', RestClient::received($reply, 'Content-Type'),
	$reply->{body}{body}), 'application/x+json|{"a":1}', 'of params');

is(seen({'If-Match' => '"a"', 'If-None-Match' => 'W/"b", "c"'}, body => {}),
	'application/json|2|"a"|W/"b", "c"', 'conditions');
is($s->call({method => 'POST', path => '/variables', body => {}, headers =>
	{'content-type' => 'a/b', 'if-none-match' => '"a"'}})->{body},
	'a/b|a/b|"a"', 'variables');

# nginx itself minds them.

my $etag = $s->get('/file')->{headers}{etag};
my $with = sub {
	my ($name, $value) = @_;
	return $s->call({path => '/file', headers => {$name => $value}})->{status};
};
is($with->('If-None-Match', $etag), 304, 'not modified');
is($with->('If-None-Match', '"x"'), 200, 'modified');
is($with->('If-Match', $etag), 200, 'the one that is known');
is($with->('If-Match', '"x"'), 412, 'another one');

# Only where they are named.

$s = RestClient->open($t, '/others');
is($s->call({path => '/api/x', headers => {$_ => 'x'}})->{error},
	'header_not_allowed', "$_ is not named")
	for 'Content-Type', 'If-Match', 'If-None-Match';

$t->finish;

###############################################################################

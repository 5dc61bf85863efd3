#!/usr/bin/perl

# Tests for ws_rest: filters of nginx work on responses before they become
# replies.

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

mkdir $t->dir . '/html';
$t->write_file('html/page.shtml', 'a <!--#include virtual="/part.txt" --> b '
	. '<!--#echo var="request_method" --> c '
	. '<!--#include virtual="/proxied/?body=upstream&delay=50" --> d');
$t->write_file('html/part.txt', 'PART ' x 2000);
$t->write_file('html/before.txt', 'BEFORE ');
$t->write_file('html/after.txt', ' AFTER');
$t->write_file('html/middle.txt', 'middle');
$t->write_file('html/words.txt', 'one two one' . ' word' x 20000);

for (qw/on off/) {
	$t->run(<<'EOF' =~ s/SENDFILE/$_/gr);

proxy_cache_path %%TESTDIR%%/cache keys_zone=slices:1m;

server {
    listen 127.0.0.1:%%PORT%%;
    root %%TESTDIR%%/html;
    sendfile SENDFILE;
    tcp_nopush SENDFILE;

    location /ws {
        ws_rest /;
        ws_response_headers x-added content-encoding content-type last-modified
            vary;
    }

    location /page.shtml {
        ssi on;
        ssi_types *;
    }

    location /words.txt {
        sub_filter_types *;
        sub_filter one 1;
        sub_filter_once off;
    }

    location /middle.txt {
        addition_types *;
        add_before_body /before.txt;
        add_after_body /after.txt;
    }

    location /headers {
        add_header X-Added $request_id always;
        charset utf-8;
        default_type text/plain;
        return 404 headers;
    }

    location /gzip/ {
        gzip on;
        gzip_min_length 1;
        gzip_types *;
        gzip_vary on;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /gunzip/ {
        gunzip on;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /proxied/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /sliced/ {
        slice 4k;
        proxy_cache slices;
        proxy_cache_key $uri$slice_range;
        proxy_cache_valid 200 206 1m;
        proxy_set_header Range $slice_range;
        proxy_pass http://127.0.0.1:%%PORT_files%%/;
    }

    location /aio/ {
        alias %%TESTDIR%%/html/;
        aio threads;
    }

    location /directio/ {
        alias %%TESTDIR%%/html/;
        directio 512;
        output_buffers 1 4k;
    }
}

server {
    listen 127.0.0.1:%%PORT_files%%;
    root %%TESTDIR%%/html;
}

EOF

	exercise("sendfile $_");
	$t->stop;
}

###############################################################################

sub exercise {
	my ($mode) = @_;
	my $s = RestClient->open($t);

	is($s->get('/page.shtml')->{body}, 'a ' . 'PART ' x 2000
		. ' b GET c upstream d', "SSI with a file and an upstream, $mode");
	is($s->get('/words.txt')->{body}, '1 two 1' . ' word' x 20000,
		"sub_filter, $mode");
	is($s->get('/middle.txt')->{body}, 'BEFORE middle AFTER',
		"addition, $mode");

	my $reply = $s->get('/headers');
	like($reply->{headers}{'x-added'}, qr/^[0-9a-f]{32}$/, "add_header, $mode");
	is($reply->{headers}{'content-type'}, 'text/plain; charset=utf-8',
		"charset, $mode");
	isnt($s->get('/headers')->{headers}{'x-added'},
		$reply->{headers}{'x-added'}, "another request, $mode");

	$reply = $s->get('/gzip/?size=5000');
	is(length $reply->{body}, 5000, "gzip has no client for it, $mode");
	is($reply->{headers}{'content-encoding'}, undef, "no encoding, $mode");

	is($s->get('/gunzip/?header=Content-Encoding:gzip&base64='
		. 'H4sIAAAAAAACA8tIzcnJBwCGphA2BQAAAA==')->{body}, 'hello',
		"gunzip, $mode");

	my $words = 'one two one' . ' word' x 20000;
	for my $path ('/sliced/words.txt', '/sliced/words.txt', '/aio/words.txt',
		'/directio/words.txt')
	{
		ok($s->get($path)->{body} eq $words, "$path, $mode");
	}

	like($s->get('/part.txt')->{headers}{'last-modified'},
		qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/,
		"last-modified of a file, $mode");
	is($s->call({path => '/part.txt', method => 'HEAD'})->{body}, undef,
		"HEAD of a file, $mode");
}

$t->finish;

###############################################################################

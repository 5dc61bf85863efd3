#!/usr/bin/perl

# Tests for ws_rest: nginx finds the location and its content as for any
# request.

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

mkdir $t->dir . "/$_" for 'html', 'html/dir', 'html/list';
$t->write_file('html/index.html', 'root index');
$t->write_file('html/dir/index.html', 'dir index');
$t->write_file('html/file.txt', 'a file');
$t->write_file('html/data.json', '{"data": [1.0]}');
$t->write_file('html/empty.txt', '');
$t->write_file('html/image.png', "\x89PNG\r\n\xff");
$t->write_file('html/large.txt', 'x' x 300_000);

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    root %%TESTDIR%%/html;
    types {
        text/html html;
        text/plain txt;
        application/json json;
        image/png png;
    }

    location /ws {
        ws_rest /;
    }

    location /limited {
        ws_rest /pages/;
    }

    location /try/ {
        try_files $uri /dir/index.html @fallback;
    }

    location /try2/ {
        try_files $uri @fallback;
    }

    location @fallback {
        return 200 "fallback $uri";
    }

    location /pages/ {
        error_page 404 = /errors/not_found;
        error_page 403 =200 /file.txt;
        error_page 500 502 @down;
        error_page 418 =204 /nothing;

        location /pages/403 {
            return 403;
        }

        location /pages/500 {
            return 500;
        }

        location /pages/418 {
            return 418;
        }

        location /pages/down {
            proxy_pass http://127.0.0.1:%%PORT_nobody%%;
        }

        location /pages/intercepted {
            proxy_pass http://127.0.0.1:%%PORT_backend%%;
            proxy_intercept_errors on;
        }
    }

    location /errors/ {
        default_type application/json;
        return 404 '{"uri":"$request_uri"}';
    }

    location /nothing {
        return 204;
    }

    location @down {
        default_type application/json;
        return 503 '{"status":"down"}';
    }

    location /rewritten/ {
        rewrite ^/rewritten/(.*)$ /$1 last;
    }

    location /if {
        if ($request_method = POST) {
            return 405;
        }
        if ($arg_x) {
            set $y "x is $arg_x";
        }
        return 200 "$y";
    }

    location /list/ {
        autoindex on;
        autoindex_format json;
    }

    location /accel {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /protected/ {
        internal;
        alias %%TESTDIR%%/html/;
    }

    location /alias/ {
        alias %%TESTDIR%%/html/dir/;
    }

    location /status {
        stub_status;
    }

    location = /exact {
        return 200 exact;
    }

    location ~ ^/regex/(?<name>\w+)$ {
        return 200 "regex $name";
    }

    location /dead-end {
        rewrite ^ /dead-end last;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);

sub answer {
	my $reply = $s->get(@_);
	return join ' ', $reply->{status}, $reply->{error} // (),
		ref $reply->{body} ? JSON::PP->new->canonical->encode($reply->{body})
		: $reply->{body} // ();
}

# Files.

is(answer('/'), '200 root index', 'index');
is(answer('/dir/'), '200 dir index', 'index of a folder');
is(answer('/file.txt'), '200 a file', 'file');
like($s->raw('{"id":1,"path":"/data.json"}'), qr/"body":\{"data": \[1\.0\]\}\}$/,
	'JSON file');
is(answer('/empty.txt'), '200', 'empty file');
is(answer('/image.png'), '200 iVBORw0K/w==', 'binary file');
ok($s->get('/large.txt')->{body} eq 'x' x 300_000, 'large file');
like($s->get('/file.txt')->{headers}{etag}, qr/^"[0-9a-f]+-6"$/, 'etag');
like(answer('/missing.txt'), qr/^404 .*404 Not Found/s, 'no file');
is($s->get('/dir')->{status}, 301, 'folder without a slash');
like($s->get('/dir')->{headers}{location}, qr!/dir/$!, 'its location');
is(answer('/alias/'), '200 dir index', 'alias');
is(answer('/list/'), '200 []', 'autoindex');
is($s->call({method => 'POST', path => '/file.txt'})->{status}, 405,
	'POST to a file');

# try_files, named locations, rewrites.

is(answer('/try/x'), '200 dir index', 'try_files finds');
is(answer('/try2/x'), '200 fallback /try2/x', 'try_files falls back');
is(answer('/rewritten/file.txt'), '200 a file', 'rewrite');
is(answer('/if?x=1'), '200 x is 1', 'if and set');
is(answer('/if'), '200', 'variables are not those of the last message');
is($s->call({method => 'POST', path => '/if'})->{status}, 405, 'if');
is(answer('/exact'), '200 exact', 'exact location');
is(answer('/regex/abc'), '200 regex abc', 'regex location');
is(answer('/regex/def'), '200 regex def', 'captures of another message');
like(answer('/dead-end'), qr/^500 /, 'a rewrite that does not end');

# error_page.

is(answer('/pages/nope?q'), '404 {"uri":"/pages/nope?q"}', 'error_page 404');
is(answer('/pages/403'), '200 a file', 'error_page with a file');
like(answer('/pages/500'), qr/^50[03] \{"status":"down"\}$/,
	'error_page with a named location');
is(answer('/pages/418'), '204', 'error_page without a body');
like(answer('/pages/down'), qr/^50[23] \{"status":"down"\}$/,
	'error_page for a dead backend');
is(answer('/pages/intercepted?status=404'),
	'404 {"uri":"/pages/intercepted?status=404"}', 'proxy_intercept_errors');

# X-Accel-Redirect.

is(answer('/protected/file.txt') =~ s/ .*//rs, '404', 'internal');
is(answer('/accel?header=X-Accel-Redirect:/protected/file.txt'), '200 a file',
	'X-Accel-Redirect');
is(answer('/accel?header=X-Accel-Redirect:@fallback'),
	'200 fallback /accel', 'X-Accel-Redirect to a named location');
like(answer('/accel?header=X-Accel-Redirect:/ws'), qr/^426 /,
	'X-Accel-Redirect to the bridge');

# A page for what is outside the prefix is not asked for.

$s = RestClient->open($t, '/limited');
is(answer('/file.txt'), '404 not_found', 'outside the prefix');
is(answer('/pages/403'), '200 a file', 'an error page may be outside');

like(RestClient->open($t)->get('/status')->{body}, qr/^Active connections: /,
	'stub_status');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: files can be written where nginx allows it.

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

mkdir $t->dir . '/files';
chmod 0777, $t->dir . '/files';

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /files/;
    }

    location /files/ {
        root %%TESTDIR%%;
        dav_methods PUT DELETE;
        create_full_put_path on;
    }

    location /files/kept {
        client_body_in_file_only clean;
        proxy_set_header X-File $request_body_file;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

RestClient::backend($t);

###############################################################################

my $s = RestClient->open($t);

sub put {
	my ($path, $body) = @_;
	return $s->call({method => 'PUT', path => $path, body => $body,
		encoding => 'text'})->{status};
}

is(put('/files/new/a.txt', 'content'), 201, 'PUT of a new file');
is($t->read_file('files/new/a.txt'), 'content', 'is written');
is(put('/files/new/a.txt', 'other'), 204, 'PUT of an old file');
is($s->get('/files/new/a.txt')->{body}, 'other', 'is read');
is(put('/files/large.txt', 'x' x 500_000), 201, 'PUT of a large file');
is(-s $t->dir . '/files/large.txt', 500_000, 'is written');
is($s->call({method => 'DELETE', path => '/files/new/a.txt'})->{status}, 204,
	'DELETE');
is($s->status_of('/files/new/a.txt'), 404, 'is gone');

my $reply = $s->call({method => 'POST', path => '/files/kept', body => 'x'});
is($reply->{body}{body}, '"x"', 'client_body_in_file_only');
like((RestClient::received($reply, 'X-File'))[0], qr/client_body_temp/,
	'$request_body_file');

$t->finish;

###############################################################################

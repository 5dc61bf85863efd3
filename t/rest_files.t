#!/usr/bin/perl

# Tests for ws_rest: responses whose bytes are in files are complete.

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

my $aio = qx{'$t->{binary}' -V 2>&1} =~ /--with-threads/
	? 'location /threads/ { aio threads; sendfile on; alias %%TESTDIR%%/; }' : '';

$t->run(<<"EOF");

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /ws   { ws_rest /; ws_max_response 3m; }

    location /sendfile/   { sendfile on; alias %%TESTDIR%%/; }
    location /read/       { sendfile off; alias %%TESTDIR%%/; }
    location /directio/   { directio 4k; alias %%TESTDIR%%/; }
    location /open/       { open_file_cache max=10; alias %%TESTDIR%%/; }
    location /small/      { output_buffers 1 512; sendfile off; alias %%TESTDIR%%/; }
    location /chunk/      { sendfile on; sendfile_max_chunk 1k; alias %%TESTDIR%%/; }
    location /postpone/   { postpone_output 0; alias %%TESTDIR%%/; }
    location /limited/    { limit_rate 100m; alias %%TESTDIR%%/; }
    location /sub/        { ssi on; ssi_types text/plain; default_type text/plain; alias %%TESTDIR%%/; }
    $aio

    location /cached/ {
        sendfile on;
        proxy_cache cache;
        proxy_cache_valid 1m;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /cached-read/ {
        sendfile off;
        proxy_cache cache;
        proxy_cache_valid 1m;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /cached-directio/ {
        directio 4k;
        proxy_cache cache;
        proxy_cache_valid 1m;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /temp/ {
        sendfile on;
        proxy_buffers 4 4k;
        proxy_buffer_size 4k;
        proxy_busy_buffers_size 4k;
        proxy_max_temp_file_size 1m;
        proxy_temp_file_write_size 8k;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /no-temp/ {
        proxy_buffers 4 4k;
        proxy_buffer_size 4k;
        proxy_max_temp_file_size 0;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

my @sizes = (0, 1, 4095, 4096, 4097, 32768, 65537, 1_000_003, 3 << 20);

sub content { substr '0123456789' x ($_[0] / 10 + 1), 0, $_[0] }

$t->write_file("file-$_", content($_)) for @sizes;

###############################################################################

my $s = RestClient->open($t);

# What is wrong with the body of a reply, in a few words.

sub fault {
	my ($reply, $size) = @_;
	return substr $reply, 0, 100 unless $reply =~ /"status":200\b/;
	my ($body) = $reply =~ /"body":"([0-9]*)"/ ? $1 : '';
	return length($body) . ' bytes' if length $body != $size;
	return $body eq content($size) ? '' : 'other bytes';
}

sub fetch { $s->raw({id => 1, path => $_[0]}) }

for my $at (qw/sendfile read directio open small chunk postpone limited sub/,
	$aio ? 'threads' : ()) {
	is(fault(fetch("/$at/file-$_"), $_), '', "$at: $_ bytes") for @sizes;
}

for my $at (qw/cached cached-read cached-directio/) {
	for my $size (@sizes) {
		my $path = "/$at/$size?size=$size";
		is(fault(fetch($path), $size), '', "$at: $size bytes, $_") for 1 .. 3;
		is((grep { $_ eq "GET $path" } RestClient::seen($t)), 1,
			"$at: $size bytes, from the cache");
	}
}

for my $at (qw/temp no-temp/) {
	for my $framing (qw/length chunked close/) {
		is(fault(fetch("/$at/?size=$_&framing=$framing"), $_), '',
			"$at, $framing: $_ bytes") for @sizes;
	}
}

# Many at once.

$s->send({id => $_, path => '/' . (qw/sendfile cached temp/)[$_ % 3]
	. ($_ % 3 ? '/65537?size=65537' : '/file-65537')}) for 1 .. 30;
is((grep { fault($s->reply, 65537) } 1 .. 30), 0, 'many at once');

$t->finish;

###############################################################################

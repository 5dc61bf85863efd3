#!/usr/bin/perl

# Tests for ws_rest: memory does not grow with the calls of a socket.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

# An upstream that is nginx, to be quick.

$t->run(<<'EOF');

access_log off;

upstream kept {
    server 127.0.0.1:%%PORT_upstream%%;
    keepalive 32;
    keepalive_requests 1000000;
}

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_route route GET /return/$ws_arg_x;
        ws_client_headers X-Custom;
    }

    location /return {
        return 200 returned;
    }

    location /kept/ {
        proxy_pass http://kept;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }

    location /outside {
        internal;
    }

    location /backend/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

server {
    listen 127.0.0.1:%%PORT_upstream%%;
    keepalive_requests 1000000;

    location / {
        return 200 upstream;
    }
}

EOF

###############################################################################

my $worker = ($t->workers)[0];
my $s = RestClient->open($t);

# Sends a message so many times, and returns the kilobytes that the last nine
# tenths of them have cost.

sub growth {
	my ($message, $count, $expected) = @_;
	my $batch = WsFrame::encode(1, $message) x 100;
	my $before;

	for my $i (1 .. $count / 100) {
		$s->write($batch);
		for (1 .. 100) {
			my $reply = $s->reply;
			die "wrong reply: $reply\n" unless $reply =~ $expected;
		}
		$before = $t->rss($worker) if $i == int $count / 1000;
	}

	return $t->rss($worker) - $before;
}

for (
	['return', '{"id":1,"path":"/return"}', 20_000, qr/"body":"returned"/],
	['proxy_pass with keepalive', '{"id":1,"path":"/kept/"}', 20_000,
		qr/"body":"upstream"/],
	['headers and a body', '{"id":1,"method":"POST","path":"/kept/x","headers":'
		. '{"X-Custom":"' . 'x' x 500 . '"},"body":"' . 'y' x 5000 . '"}', 5000,
		qr/"body":"upstream"/],
	['routes', '{"id":1,"action":"route","params":{"x":1,"y":"z"}}', 5000,
		qr/"body":"returned"/],
	['rejections', '{"id":1,"path":1}', 5000, qr/bad_message/],
	['pages of nginx', '{"id":1,"path":"/outside"}', 5000, qr/404 Not Found/],
	['failures', '{"id":1,"path":"/backend/?fault=drop"}', 1000, qr/:502,/],
	['halves', '{"id":1,"path":"/backend/?size=20000&cut=10000"}', 1000,
		qr/backend_failed/],
) {
	my ($name, $message, $count, $expected) = @$_;

	# 64 bytes a call would show.
	my $bound = 256 + $count * 0.9 * 64 / 1024;
	$t->uses(growth($message, $count, $expected), $bound,
		"kilobytes for $count calls: $name");
}

# Sockets give back all of it.

my $before;
for my $round (1 .. 20) {
	my @s = map { RestClient->open($t) } 1 .. 20;
	for my $s (@s) {
		$s->send({path => '/kept/'}) for 1 .. 10;
		$s->send({path => '/backend/?fault=hang'});
		$s->reply for 1 .. 5;
	}
	$round % 2 ? $_->reset : $_->hang_up for @s;
	$before = $t->rss($worker) if $round == 5;
}
cmp_ok($t->rss($worker) - $before, '<', 512, 'kilobytes for 300 sockets');

$t->finish;

###############################################################################

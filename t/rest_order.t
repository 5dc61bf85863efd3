#!/usr/bin/perl

# Tests for ws_rest: ws_order strict gives replies in the order of the
# messages.

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

    location /completion {
        ws_rest /api/;
    }

    location /strict {
        ws_rest /api/;
        ws_order strict;
    }

    location /timeout {
        ws_rest /api/;
        ws_order strict;
        ws_request_timeout 150ms;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/now {
        return 200;
    }
}

EOF

###############################################################################

# Sends calls with these delays and returns the ids as replies come.

sub ids {
	my ($path, @delays) = @_;
	my $s = RestClient->open($t, $path);
	my $id = 0;
	for (@delays) {
		$id++;
		$s->send(/^\d+$/ ? {id => $id, path => "/api/?body=&delay=$_"}
			: s/ID/$id/r);
	}
	return join ' ', map { my $reply = $s->decoded; $reply->{id} // 'none' }
		@delays;
}

my $now = '{"id":ID,"path":"/api/now"}';
my $outside = '{"id":ID,"path":"/else"}';
my $bad = '{"id":ID}';
my $header = '{"id":ID,"path":"/api/","headers":{"x":"y"}}';

is(ids('/completion', 300, 150, 10), '3 2 1', 'completion');
is(ids('/completion', 300, $now), '2 1', 'completion, without an upstream');
is(ids('/strict', 300, 150, 10), '1 2 3', 'strict');
is(ids('/strict', 100, $now), '1 2', 'strict, without an upstream');
is(ids('/strict', 100, $outside), '1 2', 'strict, outside the prefix');
is(ids('/strict', 100, $bad), '1 2', 'strict, a bad message');
is(ids('/strict', 100, $header), '1 2', 'strict, a header too many');
is(ids('/strict', 100, '{'), '1 none', 'strict, no JSON');
is(ids('/strict', 10, $now, 100, $bad, 10, $outside, 50, $now),
	'1 2 3 4 5 6 7 8', 'strict, all kinds');
is(ids('/timeout', 1000, 10, 1000, $now), '1 2 3 4', 'strict, with timeouts');

my $s = RestClient->open($t, '/strict');
$s->send({id => 1, path => '/api/?body=&delay=100'})->binary('x')
	->send({id => 3, path => '/api/now'});
is(join(' ', map { $s->decoded->{status} } 1 .. 3), '200 415 200',
	'strict, a binary message');

# As many as may be in flight, in random order.

my @delays = map { ($_ * 7 % 16) * 10 } 1 .. 50;
is(ids('/strict', @delays), join(' ', 1 .. 50), 'strict, many');
is(join(' ', sort { $a <=> $b } split ' ', ids('/completion', @delays)),
	join(' ', 1 .. 50), 'completion, many');

$t->rejects("ws_order $_", qq/"ws_order" directive invalid value "/
	. s/"//gr . '": expected completion or strict', "ws_order $_;")
	for qw/on Strict 1/, '""';
$t->rejects('ws_order twice', '"ws_order" directive is duplicate',
	'ws_order strict; ws_order strict;');
$t->rejects('ws_order with two values',
	'invalid number of arguments in "ws_order" directive',
	'ws_order strict completion;');

$t->finish;

###############################################################################

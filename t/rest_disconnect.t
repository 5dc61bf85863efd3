#!/usr/bin/perl

# Tests for ws_rest: a client that leaves takes its requests along.

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

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;
limit_req_zone $arg_key zone=req:1m rate=10r/s;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
    }

    location /short {
        ws_rest /api/;
        ws_request_timeout 500ms;
    }

    # The socket is not read while a call runs.
    location /single {
        ws_rest /api/;
        ws_inflight 1;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/stays/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_ignore_client_abort on;
    }

    location /api/streams/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_buffering off;
    }

    location /api/cached/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_cache cache;
        proxy_cache_valid 1m;
    }

    location /api/limited/ {
        limit_req zone=req burst=5;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

my $n = 0;

sub ends_request {
	my ($name, $path, $target, $end) = @_;
	my $uri = "/api/$target" . ++$n . '?';
	my $aborted = grep { $_ eq 'aborted' } RestClient::seen($t);

	my $s = RestClient->open($t, $path);
	$s->send({id => 1, path => "${uri}fault=hang"});
	RestClient::wait_seen($t, "GET ${uri}fault=hang") or return fail($name);
	$end->($s);

	ok(RestClient::wait_seen($t, 'aborted', $aborted + 1, 3), $name);
	return $s;
}

for my $path ('/ws', '/single') {
	ends_request("$path: connection closed", $path, '',
		sub { $_[0]->hang_up });
	ends_request("$path: reset", $path, '', sub { $_[0]->reset });
	ends_request("$path: unbuffered proxying", $path, 'streams/',
		sub { $_[0]->hang_up });
}

my $s = ends_request('closing handshake', '/ws', '', sub { $_[0]->close(1000) });
is(join(' ', $s->read, $s->end), 'close:1000 eof', 'which is answered');
$s = ends_request('violation', '/ws', '', sub { $_[0]->write("\x83\x80") });
is(join(' ', $s->read_close, $s->end),
	'1002 reserved opcode eof', 'which is answered');

# Half of the response has come.

{
	my $aborted = grep { $_ eq 'aborted' } RestClient::seen($t);
	my $s = RestClient->open($t);
	$s->send({path => '/api/half?size=100000&pause=30000'});
	RestClient::wait_seen($t, qr!/api/half!);
	$s->hang_up;
	ok(RestClient::wait_seen($t, 'aborted', $aborted + 1, 3),
		'in the middle of a response');
}

# What the operator wants to run on runs on.

{
	my $answered = grep { $_ eq 'answered' } RestClient::seen($t);
	my $s = RestClient->open($t);
	$s->send({method => 'POST', path => '/api/stays/x?body=&delay=400'});
	RestClient::wait_seen($t, qr!/api/stays/!);
	$s->hang_up;
	ok(RestClient::wait_seen($t, 'answered', $answered + 1),
		'proxy_ignore_client_abort');

	$s = RestClient->open($t);
	$s->send({method => 'POST', path => '/api/stays/y?body=&delay=1000'});
	RestClient::wait_seen($t, qr!/api/stays/y!);
	$s->close(1000);
	is(join(' ', $s->read(0.5), $s->end(0.5)), 'close:1000 eof',
		'TCP does not wait for it');
}

# What nginx does not give up for a client that left, as it is to be cached, has
# its time all the same.

{
	my $aborted = grep { $_ eq 'aborted' } RestClient::seen($t);
	my $s = RestClient->open($t, '/short');
	$s->send({path => "/api/$_/gone?fault=hang"}) for qw/cached stays/;
	RestClient::wait_seen($t, qr!/gone!, 2);
	$s->hang_up;
	ok(RestClient::wait_seen($t, 'aborted', $aborted + 2, 3),
		'ws_request_timeout of calls without a client');
}

# A call that nginx delays.

{
	my $s = RestClient->open($t);
	$s->send({id => $_, path => '/api/limited/?key=1&body='}) for 1 .. 4;
	$s->reply;
	$s->hang_up;
	is(RestClient->open($t)->status_of('/api/limited/?key=2&body='), 200,
		'delayed calls of a client that left');
	select undef, undef, undef, 0.5;
	is((grep { m!/limited/\?key=1! } RestClient::seen($t)), 1,
		'do not reach the backend any more');
}

# Many at once, with calls of every kind.

my @s = map { RestClient->open($t, $_ % 2 ? '/ws' : '/single') } 1 .. 60;
for my $s (@s) {
	$s->send({path => $_}) for '/api/x?fault=hang', '/api/y?delay=20',
		'/api/z?size=500000', '/api/streams/?size=1000&pause=20000',
		'/api/nothing/../x?fault=drop', '/api/limited/';
}
for my $i (0 .. $#s) {
	$s[$i]->pump(sub { 0 }, timeout => 0.001) if $i % 3;
	my $end = (qw/hang_up reset close/)[$i % 3];
	$s[$i]->$end;
}
$_->hang_up for @s;

# All slots and connections are free again.

ok($t->wait_for(sub {
	my $requests = grep { /^[A-Z]/ } RestClient::seen($t);
	my $ends = grep { /^a/ } RestClient::seen($t);
	return $requests == $ends;
}), 'no request is left at the backend');
is(RestClient->open($t)->status_of('/api/last?size=10'), 200, 'and on we go');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: every message is a request in the access log.

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

log_format call '$request|$status|$body_bytes_sent|$request_id|$remote_addr|$scheme|$https|$host|$uri|$args|$request_method|$server_protocol|$request_length|$content_type|$http_user_agent|$connection|$request_time|$upstream_status|$pipe';
log_format ws '$ws_connection_id|$ws_messages_in|$ws_messages_out|$ws_bytes_in|$ws_bytes_out|$ws_close_code|$ws_duration|$ws_subprotocol|$status';
log_format json escape=json '{"uri":"$request_uri","agent":"$http_user_agent"}';

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        access_log %%TESTDIR%%/socket.log ws;
    }

    location / {
        access_log %%TESTDIR%%/calls.log call;
        access_log %%TESTDIR%%/ws.log ws;
        access_log %%TESTDIR%%/json.log json;

        location /text {
            return 200 "12345";
        }

        location /api/ {
            proxy_pass http://127.0.0.1:%%PORT_backend%%;
            error_log %%TESTDIR%%/api-error.log;
        }

        location /connection {
            return 200 "$connection_requests $connection_time";
        }

        location /variables {
            return 200 "$ws_connection_id|$ws_messages_in|$ws_close_code|$ws_duration|$ws_subprotocol";
        }

        location /silent {
            access_log off;
            return 200;
        }

        location /conditional {
            access_log %%TESTDIR%%/some.log call if=$arg_log;
            return 200;
        }
    }
}

EOF

###############################################################################

my $s = RestClient->open($t, '/ws', headers => ['User-Agent: te"st']);

$s->call({id => 1, path => '/text?a=b'});
$s->call({id => 2, path => '/api/x?size=1000', method => 'POST', body => {}});
$s->call({id => 3, path => '/api/x?size=1000', method => 'HEAD'});
$s->call({id => 4, path => '/api/x?status=204', method => 'DELETE'});
$s->call({id => 5, path => '/api/x?status=500&body=oops'});
$s->call({id => 6, path => '/api/x?size=100&cut=50'});
$s->call({id => 7, path => '/missing'});

# No request, no line.

$s->call('{');
$s->call({id => 8, path => 'x'});
$s->call({id => 9, path => '/text', headers => {X => 'y'}});

$s->call({id => 10, path => '/silent'});
$s->call({id => 11, path => '/conditional'});
$s->call({id => 12, path => '/conditional?log=1'});

my @names = qw/request status sent id addr scheme https host uri args method
	protocol length type agent connection time upstream/;
my @calls = map { my %h; @h{@names} = split /\|/; \%h } $t->logged(7, 'calls.log');

sub column { my ($name, @rows) = @_; join ', ', map { $_->{$name} } @rows }

is(column('request', @calls), join(', ', map { "$_ HTTP/1.1" } 'GET /text?a=b',
	'POST /api/x?size=1000', 'HEAD /api/x?size=1000',
	'DELETE /api/x?status=204', 'GET /api/x?status=500&body=oops',
	'GET /api/x?size=100&cut=50', 'GET /missing'), '$request');
is(column('status', @calls), '200, 200, 200, 204, 500, 200, 404', '$status');
is(column('sent', @calls[0 .. 5]), '5, 1000, 0, 0, 4, 50', '$body_bytes_sent');
cmp_ok($calls[6]{sent}, '>', 100, '$body_bytes_sent of a page of nginx');
is(column('addr', @calls[0, 1]), '127.0.0.1, 127.0.0.1', '$remote_addr');
is(column('scheme', @calls[0, 1]), 'http, http', '$scheme');
is(column('https', @calls[0, 1]), ', ', '$https');
is(column('host', @calls[0, 1]), 'localhost, localhost', '$host');
is(column('uri', @calls[0, 1]), '/text, /api/x', '$uri');
is(column('args', @calls[0, 1]), 'a=b, size=1000', '$args');
is(column('method', @calls), 'GET, POST, HEAD, DELETE, GET, GET, GET',
	'$request_method');
is(column('protocol', $calls[0]), 'HTTP/1.1', '$server_protocol');
is(column('type', @calls[0, 1]), '-, application/json', '$content_type');
is(column('agent', $calls[0]), 'te\x22st', '$http_user_agent');
is(column('upstream', @calls[0 .. 5]), '-, 200, 200, 204, 500, 200',
	'$upstream_status');
like($_->{time}, qr/^\d\.\d{3}$/, '$request_time') for @calls;

my %ids = map { $_->{id} => 1 } @calls;
is(keys %ids, 7, '$request_id is another one each time');
like($_, qr/^[0-9a-f]{32}$/, $_) for keys %ids;
is(keys %{{map { $_->{connection} => 1 } @calls}}, 1,
	'$connection is that of the client');

is((split /\|/, ($t->access_log('some.log'))[0])[0],
	'GET /conditional?log=1 HTTP/1.1', 'access_log if=');
is(scalar $t->access_log('some.log'), 1, 'once');
is(($t->access_log('json.log'))[0],
	'{"uri":"/text?a=b","agent":"te\"st"}', 'escape=json');

# Variables of the socket are those of the socket's own line only.

is(join(' ', map { s/^((?:-\|)*).*/$1/r } $t->access_log('ws.log')),
	join(' ', ('-|' x 8) x 7), 'no $ws_ of a message');
is($s->get('/variables')->{body}, '||||', 'nor in its location');
$s->close(1000)->end;
my ($line) = $t->logged(1, 'socket.log');
like($line, qr/^[0-9a-f]{32}\|14\|14\|\d+\|\d+\|1000\|\d+\.\d{3}\|-\|101$/,
	'the socket has them');

# Errors name the request, and go to the location's log.

my ($error) = $t->read_file('api-error.log')
	=~ /upstream prematurely closed connection .*?, (client: .*?), upstream/;
is($error, 'client: 127.0.0.1, server: , request: "GET /api/x?size=100&cut=50'
	. ' HTTP/1.1"', 'error log');

# The handshake was the first request of the connection.

$s = RestClient->open($t);
select undef, undef, undef, 0.02;
my @connection = map { $s->get('/connection')->{body} } 1 .. 2;
like($connection[0], qr/^2 \d+\.\d*[1-9]/, 'requests and time of the connection');
like($connection[1], qr/^3 /, 'one more');

$t->finish;

###############################################################################

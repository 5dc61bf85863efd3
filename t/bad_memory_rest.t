#!/usr/bin/perl

# Tests for ws_rest: calls and replies that there is no memory for.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

plan(skip_all => 'a wrapper needs memory of its own')
	if $ENV{TEST_NGINX_WRAP};

use constant MEGABYTE => 1 << 20;
use constant ROOM => 100;

my $t = NginxWs->new;
RestClient::backend($t);

my $conf = <<'EOF';

log_format code "$status $uri $ws_close_code $ws_close_reason";
access_log %%TESTDIR%%/access.log code;

ws_max_message 64m;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }

    location /rest {
        ws_rest /api/;
        ws_max_response 1g;
        ws_route act GET /api/act?id=$ws_arg_id;
    }

    location /api/ {
        client_max_body_size 0;
        client_body_buffer_size 64m;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_max_temp_file_size 0;
    }
}

EOF

# What ulimit -v does: room for nginx as it starts, which a first run tells, and
# for a message or two.

$t->run($conf);
my $size = NginxWs::Process::status($t->workers, 'VmSize') * 1024;
$t->stop;
my $limit = $size + ROOM * MEGABYTE;

{
	local $ENV{TEST_NGINX_WRAP} = "prlimit --as=$limit";
	$t->run($conf);
}

my ($worker) = $t->workers;

###############################################################################

my $long = 'x' x (60 * MEGABYTE);

# Each has its socket and leaves that of others alone.

for my $call (
	['a long JSON body', '{"id":1,"method":"POST","path":"/api/x?body=y",'
		. '"body":"' . $long . '"}'],
	['a long text', '{"id":1,"method":"POST","path":"/api/x?body=y",'
		. '"encoding":"text","body":"\n' . $long . '"}'],
	['long base64', '{"id":1,"method":"POST","path":"/api/x?body=y",'
		. '"encoding":"base64","body":"'
		. 'QUJD' x (15 * MEGABYTE) . '"}'],
	['a long id', '{"id":"' . $long . '","path":"/api/x"}'],
	['a long path', '{"id":1,"path":"/api/' . $long . '"}'],
	['a long array', '{"id":1,"method":"POST","path":"/api/x?body=y","body":['
		. '1,' x (30 * MEGABYTE - 200) . '1]}'],
	['a long text reply', {id => 1, path => '/api/x?size=60000000'}],
	['a long JSON reply', {id => 1,
		path => '/api/x?size=60000000&type=application/json'}],
	['a long binary reply', {id => 1,
		path => '/api/x?size=60000000&type=application/octet-stream'}],
	['many parameters', '{"id":1,"action":"act","params":{'
		. join(',', map { qq!"k$_":1! } 1 .. 2_000_000) . '}}'],
	['many headers', '{"id":1,"path":"/api/x","headers":{'
		. join(',', map { qq!"k$_":""! } 1 .. 2_000_000) . '}}'],
	['long control characters', {id => 1,
		path => '/api/x?body=' . '%00' x 2000}],
) {
	my ($name, $message) = @$call;
	my @others = map { $t->ws('/ws') } 1 .. 3;
	my $other = RestClient->open($t, '/rest');
	my $s = RestClient->open($t, '/rest');
	my ($worker) = $t->workers;
	$s->send($message);
	my $frame = $s->read_frame(20);
	my $how = $frame ? $frame->{opcode} == 8
		? join ' ', unpack 'na*', $frame->{payload}
		: $frame->{payload} =~ /("status":\d+(?:,"error":"\w+")?)/ && $1
		: $s->{ended} || 'timeout';
	like($how, qr/^(?:"status":(?:200|4\d\d|50\d).*|1011 out of memory|eof|reset)$/,
		"$name: a reply or the end");

	is((grep { $_->text('small')->read ne 'text:small' } @others), 0,
		"$name: others echo");
	is($other->status_of('/api/x?body='), 200, "$name: others call");
	ok(eval { $t->rss($worker) }, "$name: the worker stays");
	$s->hang_up;
}


$t->expect(qr/websocket: (?:out of|no) memory|(?:malloc|posix_memalign)\(.*\) failed \(12: /);
$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: a worker that gets no more memory.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Compress::Raw::Zlib;
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
        ws_send_queue 1g;
    }

    location /compressed {
        ws_echo;
        ws_compression on;
        ws_compression_context_takeover on;
    }

    location /rest {
        ws_rest /api/;
        ws_max_response 1g;
    }

    location /api/ {
        client_max_body_size 0;
        client_body_buffer_size 64m;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_max_temp_file_size 0;
    }
}

EOF

# What ulimit -v does: room for the server as it starts, and as much again as
# one or two messages need.  The limit that just suffices is taken from a run.

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
my @deflate = (headers => ['Sec-WebSocket-Extensions: permessage-deflate']);

sub deflated {
	my ($text) = @_;
	my $d = Compress::Raw::Zlib::Deflate->new(-WindowBits => -15,
		-AppendOutput => 1);
	my $out = '';
	$d->deflate($text, $out);
	$d->flush($out, Z_SYNC_FLUSH);
	return substr $out, 0, -4;
}

# How a socket that wants much ends: 1011, or the connection is just gone.

sub starved {
	my ($s, $name) = @_;
	my ($code, $reason) = $s->read_close;
	my $how = defined $code ? "$code $reason" : $s->{ended} || 'open';
	like($how, qr/^(?:1011 out of memory|eof|reset)$/, $name);
	return defined $code;
}

my @small = map { $t->ws($_, @deflate) } ('/ws') x 3, ('/compressed') x 3;
my $rest = RestClient->open($t, '/rest');

sub others {
	my ($name) = @_;
	my @bad = grep { $_ ne 'text:small' }
		map { eval { $_->text('small')->message } // "died: $@" } @small;
	is(join(', ', @bad), '', "$name: others echo");
	is($rest->status_of('/api/x?body='), 200, "$name: others call");
	my $new = eval { $t->ws('/ws')->text('new')->read } // $@;
	is($new, 'text:new', "$name: new ones come");
	is(join(' ', $t->workers), $worker, "$name: the worker stays");
	($worker) = $t->workers;
}

others('before');

# Messages that are not finished; one fits, four do not.

my @big = map { $t->ws('/ws') } 1 .. 4;
$_->text($long, fin => 0) for @big;
my @ends = map { ($_->read_close(0.3))[0] // ($_->{ended} || 'open') } @big;
diag("unfinished messages: @ends");
ok((grep { $_ eq '1011' } @ends), 'there is one too many');
is((grep { !/^(?:1011|open|eof|reset)$/ } @ends), 0, 'and nothing else');
others('unfinished messages');
$_->hang_up for @big;

# The room is given back.

my $one = $t->ws('/ws');
ok($t->wait_for(sub {
	my $s = $t->ws('/ws')->binary($long);
	return $s->message(20) eq "binary:$long";
}), 'a long message alone is echoed');
others('a long message');

# Echoes that nobody reads.

@big = map { $t->ws('/ws', rcvbuf => 4096) } 1 .. 4;
$_->stuff(WsFrame::encode(2, $long), 0.2) for @big;
others('unread echoes');
$_->hang_up for @big;

# Few bytes that become many.

my $bomb = deflated($long);
@big = map { $t->ws('/compressed', @deflate) } 1 .. 4;
for my $s (@big) {
	$s->text($bomb, rsv => 4);
	$s->text($bomb, rsv => 4);
}
@ends = map {
	my $frame = $_->read_frame(20);
	$frame ? $frame->{opcode} == 8 ? unpack 'n', $frame->{payload} : 'echo'
		: $_->{ended} || 'timeout';
} @big;
diag("compressed messages: @ends");
is((grep { !/^(?:1011|echo)$/ } @ends), 0, 'bombs are echoed or end in 1011');
others('compressed messages');
$_->hang_up for @big;

# Long calls and long replies.

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
	['long control characters', {id => 1,
		path => '/api/x?body=' . '%00' x 2000}],
) {
	my ($name, $message) = @$call;
	my $s = RestClient->open($t, '/rest');
	$s->send($message);
	my $frame = $s->read_frame(20);
	my $how = $frame ? $frame->{opcode} == 8
		? join ' ', unpack 'na*', $frame->{payload}
		: $frame->{payload} =~ /("status":\d+(?:,"error":"\w+")?)/ && $1
		: $s->{ended} || 'timeout';
	diag("$name: $how");
	like($how, qr/^(?:"status":(?:200|4\d\d|50\d).*|1011 out of memory|eof|reset)$/,
		"$name: a reply or the end");
	others($name);
	$s->hang_up;
}

# The log says why.

like($t->error_log, qr/\[alert\].* websocket: out of memory, closing with 1011/,
	'the log says why');
my @alerts = $t->error_log =~ /\[(?:alert|emerg)\] \S+ (.*)$/mg;
my %alerts;
$alerts{s/^\*\d+ //r =~ s/ while .*//r =~ s/\d{5,}/N/gr}++ for @alerts;
diag("$alerts{$_} times $_") for sort keys %alerts;

$t->expect(qr/websocket: out of memory, closing with 1011|(?:malloc|posix_memalign)\(.*\) failed \(12: /);
$t->finish;

###############################################################################

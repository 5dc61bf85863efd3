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

    # What was compressed is echoed as it is.
    location /inflated {
        ws_echo;
        ws_send_queue 1g;
        ws_compression on;
        ws_compression_min_length 1g;
    }

    location /rest {
        ws_rest /api/;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
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

# What comes next on a socket: "echo", the code of a close, or its end.

sub next_is {
	my ($s, $seconds) = @_;
	my $frame = $s->read_frame($seconds) or return $s->{ended} || 'open';
	return $frame->{opcode} == 8 ? unpack 'n', $frame->{payload} : 'echo';
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
	ok(eval { $t->rss($worker) }, "$name: the worker stays");
	($worker) = $t->workers;
}

others('before');

# Messages that are not finished: not all of them fit.

my @big = map { $t->ws('/ws') } 1 .. 4;
$_->text($long, fin => 0) for @big;
my @ends = map { next_is($_, 0.3) } @big;
like("@ends", qr/1011/, 'there is one too many');
is((grep { !/^(?:1011|open)$/ } @ends), 0, 'and nothing else');
others('unfinished messages');
$_->hang_up for @big;

# The room is given back.

ok($t->wait_for(sub {
	$t->ws('/ws')->binary($long)->message(20) eq "binary:$long";
}), 'a long message alone is echoed');
others('a long message');

# Echoes that nobody reads.

@big = map { $t->ws('/ws', rcvbuf => 4096) } 1 .. 4;
$_->stuff(WsFrame::encode(2, $long), 0.2) for @big;
others('unread echoes');
$_->hang_up for @big;

# Few bytes that become many.

my $bomb = deflated($long);

for my $path ('/compressed', '/inflated') {
	@big = map { $t->ws($path, @deflate, rcvbuf => 4096) } 1 .. 4;
	$_->text($bomb, rsv => 4)->text($bomb, rsv => 4) for @big;
	others("$path: messages that inflate");
	@ends = map { next_is($_, 20) } @big;
	is((grep { !/^(?:1011|echo)$/ } @ends), 0, "$path: echoes or 1011")
		or diag("@ends");
	$_->hang_up for @big;
}

# All that there is is taken, in ever smaller pieces; then others need some.

$t->wait_for(sub {
	$t->ws('/ws')->binary($long)->message(20) eq "binary:$long";
});
my @take = map { [$_, map { $t->ws('/ws') } 1 .. 4] }
	map { 2 ** $_ * MEGABYTE } reverse -6 .. 5;
my @late = map { $t->ws('/compressed', @deflate) } 1 .. 4;
my $late = RestClient->open($t, '/rest');

for my $piece (@take) {
	my ($size, @sockets) = @$piece;
	$_->text('x' x $size, fin => 0) for @sockets;
	$_->{end} = next_is($_, 0.02) for @sockets;
}

@ends = map { my ($size, @s) = @$_; map { $_->{end} } @s } @take;
like("@ends", qr/1011/, 'memory is used up');
is((grep { !/^(?:1011|open|eof|reset)$/ } @ends), 0, 'and nothing else')
	or diag("@ends");

my $noise = join '', map { chr 32 + rand 90 } 1 .. 100_000;
$_->text(deflated($noise), rsv => 4) for @late;
@ends = map { next_is($_, 5) } @late;
is((grep { !/^(?:1011|echo|eof|reset)$/ } @ends), 0,
	'a message to inflate and to deflate') or diag("@ends");
is((grep { ($_->text('small')->read // '') !~ /^(?:text:small|close:1011)/ }
	@small), 0, 'small messages');
my $knock = eval { $t->ws('/ws')->text('new')->read } // $@;
like($knock, qr/^(?:text:new|no response)/, 'a new client');
ok(eval { $t->rss($worker) }, 'the worker stays');

$late->send({id => 1, path => '/api/x?size=100000'});
like($late->reply, qr/^(?:\{"id":1,|\{"status":503,"error":"overloaded"|eof|reset)/, 'a call');
ok(eval { $t->rss($worker) }, 'the worker stays');

$_->hang_up for map { my ($size, @s) = @$_; @s } @take;
@small = map { $t->ws($_, @deflate) } ('/ws') x 3, ('/compressed') x 3;
$rest = RestClient->open($t, '/rest');
others('after that');

# The log says why.

like($t->error_log, qr/\[alert\].* websocket: out of memory, closing with 1011/,
	'the log says why');

# nginx says so of its own memory at another level.
$t->expect(qr/websocket: (?:out of|no) memory|(?:malloc|posix_memalign)\(.*\) failed \(12: /);
$t->finish;

###############################################################################

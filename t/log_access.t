#!/usr/bin/perl

# Tests for WebSocket: one line a socket, with all variables.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

log_format all "$status code=$ws_close_code reason=$ws_close_reason"
               " in=$ws_messages_in/$ws_bytes_in"
               " out=$ws_messages_out/$ws_bytes_out"
               " protocol=$ws_subprotocol";
log_format ids "$ws_connection_id";
log_format sizes "$bytes_sent $body_bytes_sent $request_length";
log_format times "$ws_duration $request_time";
log_format json escape=json '{"reason":"$ws_close_reason","code":$ws_close_code}';

access_log %%TESTDIR%%/access.log all;
access_log %%TESTDIR%%/ids.log ids;
access_log %%TESTDIR%%/sizes.log sizes;
access_log %%TESTDIR%%/times.log times;
access_log %%TESTDIR%%/json.log json;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_subprotocol chat;
        ws_max_message 1000;
    }

    location /idle {
        ws_echo;
        ws_idle_timeout 300ms;
    }

    location /plain {
        return 200 "plain\n";
    }
}

EOF

###############################################################################

my $lines = 0;

sub logs {
	my ($name, $expected) = @_;
	is(($t->logged(++$lines))[-1], $expected, $name);
	is(scalar($t->access_log), $lines, "$name: one line");
}

my $s = $t->ws('/ws', headers => ['Sec-WebSocket-Protocol: chat']);
$s->text('hello')->read for 1 .. 3;
$s->binary('b' x 500)->read;
$s->ping('not counted')->read;
$s->text('fr', fin => 0);
$s->continuation('ag')->message;
$s->text('', fin => 1)->read;
$s->text('unfinished', fin => 0);
is(scalar($t->access_log), 0, 'nothing before the end');
$s->close(1000, 'bye')->end;
logs('all values',
	'101 code=1000 reason=bye in=6/519 out=6/519 protocol=chat');

my ($sent, $body, $length) = split ' ', ($t->access_log('sizes.log'))[-1];
cmp_ok($sent, '>', 519 + 150, '$bytes_sent with the frames');
cmp_ok($body, '>=', 519, '$body_bytes_sent');
cmp_ok($body, '<', $sent, 'without the head');
cmp_ok($length, '>', 100, '$request_length');

$t->ws('/ws')->close(4321)->end;
logs('no message', '101 code=4321 reason=- in=0/0 out=0/0 protocol=-');

$t->ws('/ws')->close->end;
logs('close without a code', '101 code=1005 reason=- in=0/0 out=0/0 protocol=-');

$s = $t->ws('/ws')->text('x');
$s->read;
$s->hang_up;
logs('end without a close', '101 code=1006 reason=- in=1/1 out=1/1 protocol=-');

$t->ws('/ws')->reset;
logs('reset', '101 code=1006 reason=- in=0/0 out=0/0 protocol=-');

# The server closed first: its code, whatever the client says then.

$s = $t->ws('/idle');
$s->read;
$s->close(3000, 'mine')->end;
logs('timeout',
	'101 code=1001 reason=idle timeout in=0/0 out=0/0 protocol=-');
my ($ours, $theirs) = split ' ', ($t->access_log('times.log'))[-1];
like($ours, qr/^\d+\.\d{3}$/, '$ws_duration');
cmp_ok($ours, '>=', 0.29, '$ws_duration is that of the socket');
cmp_ok($theirs, '>=', $ours - 0.002, '$request_time too');

for (['violation', "\x83\x80", 1002], ['bad UTF-8',
	WsFrame::encode(1, "\xff"), 1007], ['too big',
	WsFrame::encode(2, 'x' x 1001), 1009])
{
	my ($name, $bytes, $code) = @$_;
	my $s = $t->ws('/ws')->write($bytes);
	my (undef, $reason) = $s->read_close;
	$s->end;
	$s->hang_up;
	logs($name,
		"101 code=$code reason=$reason in=0/0 out=0/0 protocol=-");
	like($reason, qr/^[ -~]{3,60}$/, "$name: a short reason");
}

# What the client wrote cannot forge a line.

$t->ws('/ws')->close(1000, "a\"b\nc\\\x{7f}")->end;
logs('reason', '101 code=1000 reason=a\\x22b\\x0Ac\\x5C\\x7F in=0/0 out=0/0'
	. ' protocol=-');
is(($t->access_log('json.log'))[-1],
	'{"reason":"a\\"b\\nc\\\\' . "\x7f\",\"code\":1000}", 'reason in JSON');

# Requests that are no sockets.

$t->http("GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n");
logs('plain request', '200 code=- reason=- in=-/- out=-/- protocol=-');
$t->http('/ws', key => 'bad');
logs('refused handshake', '400 code=- reason=- in=-/- out=-/- protocol=-');
$t->http("GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n");
logs('no upgrade', '426 code=- reason=- in=-/- out=-/- protocol=-');

# Identifiers.

my @ids = $t->access_log('ids.log');
is(pop @ids, '-', 'no identifier without a socket') for 1 .. 3;
is((grep { !/^[0-9a-f]{32}$/ } @ids), 0, 'identifiers of 32 hex digits');
is(keys %{{map { $_ => 1 } @ids}}, @ids, 'all of them different');
is(keys %{{map { substr($_, 0, 8) => 1 } @ids}}, @ids,
	'none of them counted upwards');

$t->finish;

###############################################################################

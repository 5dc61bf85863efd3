#!/usr/bin/perl

# Tests for WebSocket: faults of clients are logged at info, and only there.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new->certificate->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k;
    listen 127.0.0.1:%%PORT_TLS%% ssl;

    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_echo;
        ws_max_message 1000;
        ws_max_fragments 2;
    }

    location /slow {
        ws_echo;
        ws_send_timeout 100ms;
        ws_send_queue 1k;
    }

    location /dead {
        ws_echo;
        ws_ping_interval 50ms;
        ws_pong_timeout 50ms;
    }

    location /mute {
        ws_echo;
        ws_max_lifetime 50ms;
        ws_close_timeout 50ms;
    }

    location /same {
        ws_echo;
        ws_origin same;
    }
}

EOF

###############################################################################

# What a client does, and what the log says of it.

for (
	['unmasked frame', '1002', sub { $t->ws('/ws')->write("\x81\x01x") }],
	['bad UTF-8', '1007', sub { $t->ws('/ws')->text("\xff") }],
	['big message', '1009', sub { $t->ws('/ws')->text('x' x 1001) }],
	['fragments', '1008', sub { $t->ws('/ws')->text('', fin => 0)
			->continuation('', fin => 0)->continuation('') }],
	['bad close', '1002', sub { $t->ws('/ws')->close(999) }],
	['end', 'without a close frame', sub { $t->ws('/ws')->hang_up }],
	['TLS reset', '', sub { $t->ws('/ws', tls => 1,
			port => $t->port('TLS'))->reset }],
	['reset', '', sub { $t->ws('/ws')->reset }],
	['slow reader', 'does not read', sub {
		my $s = $t->ws('/slow', rcvbuf => 4096);
		$s->stuff(WsFrame::encode(2, 'x' x 1000) x 2000, 0.3);
		return $s;
	}],
	['no pong', 'does not answer a ping', sub { $t->ws('/dead')->end }],
	['no close', 'does not answer a close', sub { $t->ws('/mute')->end }],
	['origin', 'origin', sub { $t->http('/same',
			headers => ['Origin: http://evil.example']) }],
	['key', 'Sec-WebSocket-Key', sub { $t->http('/ws', key => 'bad') }],
	['version', 'Sec-WebSocket-Version', sub { $t->http('/ws',
			request => WsClient::upgrade() =~ s/Version: 13/Version: 7/r) }],
	['method', 'method', sub { $t->http("POST /ws HTTP/1.1\r\nHost: x\r\n"
			. "Content-Length: 0\r\n\r\n") }],
) {
	my ($name, $text, $act) = @$_;
	my $level = $name eq 'origin' ? 'error' : 'info';

	my $before = length $t->error_log;
	my $s = $act->();
	ok($t->wait_for(sub {
		substr($t->error_log, $before)
			=~ /\[$level\] .*\Q$text\E.*, client: 127\.0\.0\.1, server: /
	}, 3), "$name is logged at $level");
}

is(join("\n", grep { !/websocket: origin / }
	$t->error_log =~ /^.*\[(?:warn|error|crit)\].*$/mg), '',
	'nothing else above notice');

$t->finish;

###############################################################################

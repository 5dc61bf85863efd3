#!/usr/bin/perl

# Tests for WebSocket: clients that leave without a word.

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

log_format code "$status $ws_close_code";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
        ws_max_message 8m;
    }

    location /status {
        stub_status;
        access_log off;
    }
}

EOF

###############################################################################

my $worker = ($t->workers)[0];

sub descriptors { scalar @{[glob "/proc/$worker/fd/*"]} }

sub active {
	my $s = $t->http("GET /status HTTP/1.1\r\nHost: localhost\r\n"
		. "Connection: close\r\n\r\n");
	$s->end;
	return $s->body =~ /Active connections: (\d+)/ ? $1 : $s->body;
}

$t->ws('/ws')->text('warm')->close(1000)->end;
$t->wait_for(sub { active() == 1 });
my $before = descriptors();

my $hello = WsFrame::encode(1, 'hello');
my $big = WsFrame::encode(2, 'b' x (8 << 20));
my $clients = 1;

# What was sent, and whether the client leaves while it is being answered.

for (
	['nothing', ''],
	['half a header', substr $hello, 0, 1],
	['half a mask', substr $hello, 0, 4],
	['half a frame', substr $hello, 0, 8],
	['a whole frame', $hello],
	['a fragment', WsFrame::encode(1, 'hello', fin => 0)],
	['half a large frame', substr $big, 0, 4 << 20],
	['a large frame', $big],
	['a violation', "\x83\x80"],
	['a violation and more', "\x83\x80" . 'x' x 100_000],
	['a close', WsFrame::encode(8, pack 'n', 1000)],
) {
	my ($what, $bytes) = @$_;

	for my $way (qw/hang_up reset/) {
		for (1 .. 3) {
			my $s = $t->ws('/ws');
			$s->stuff($bytes, 0.05);
			$s->$way;
			$clients++;
		}
	}

	is($t->ws('/ws')->text('next')->close(1000)->read, 'text:next',
		"the next client after $what");
	$clients++;
}

# A half-closed client gets its answers before the end.

my $s = $t->ws('/ws');
$s->text('last');
$s->shut_write;
is(join(' ', $s->read, $s->end), 'text:last eof', 'half-closed');
$clients++;

$s = $t->ws('/ws');
$s->shut_write;
is($s->end, 'eof', 'half-closed at once');
$clients++;

# In the middle of the handshake.

for my $way (qw/hang_up reset/) {
	my $s = WsClient->new(port => $t->port);
	$s->write(substr WsClient::upgrade(), 0, 60);
	$s->$way;
}

is($t->wait_for(sub { active() == 1 }), 1, 'no connection is left')
	or diag('active: ' . active());
ok($t->wait_for(sub { descriptors() == $before }), 'no descriptor is left')
	or diag("$before before, now " . descriptors());

my @log = grep { /^101 / } $t->access_log;
is(@log, $clients, 'one line a socket');
is((grep { !/^101 (?:1000|1002|1006)$/ } @log), 0, 'codes');

my ($errors) = $t->error_log =~ /^(.*\[(?:warn|error|crit)\].*)$/m;
is($errors, undef, 'nothing worse than info');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for WebSocket: a client that leaves while a rate makes its messages wait
# is noticed.

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

ws_message_zone $arg_key zone=z:64k rate=1r/m;

log_format code "$request_uri $ws_close_code $ws_messages_in";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /rate   { ws_echo; ws_message_rate 1r/m delay; }
    location = /shared { ws_echo; ws_message_limit zone=z delay; }
    location = /rest   { ws_rest /api/; ws_message_rate 1r/m delay; }
    location /api/     { access_log off; return 200 ok; }

    location = /active {
        access_log off;
        stub_status;
    }
}

EOF

###############################################################################

sub active {
	my ($n) = $t->http("GET /active HTTP/1.1\r\nHost: localhost\r\n"
		. "Connection: close\r\n\r\n")->body =~ /^Active connections: (\d+)/;
	return $n;
}

# Three messages in one packet, of which the first is served at once, and then
# more than is read ahead, but not more than the kernel takes, or half of a frame,
# or nothing.

my $message = WsFrame::encode(1, '{"path":"/api/"}');
my %more = ('' => '', ' and a flood' => $message x 7_000,
	' and half a frame' => substr($message, 0, 5));

my %ends = (
	FIN => sub { $_[0]->shut_write },
	close => sub { $_[0]->hang_up },
	RST => sub { $_[0]->reset },
);

for my $path ('/rate', '/shared?key=', '/rest') {
	for my $more (sort keys %more) {
		for my $end (sort keys %ends) {
			my $key = $path =~ /key/ ? $end . length $more : '';
			my $name = "$path, $end behind messages$more";

			my $s = $t->ws("$path$key");
			$s->write($message x 3);
			like($s->read, qr/^text:/, "$name: the first is served");
			$s->stuff($more{$more}, 0.1) if $more;
			$ends{$end}->($s);

			my ($line) = $t->wait_for(sub { $t->access_log }, 3)
				? $t->access_log : 'no end';
			like($line, qr!^\Q$path$key\E 1006 [1-3]$!, "$name: log");
			# A reset tells of bytes that nobody has read.
			like($s->end(2), qr/^(?:eof|reset)$/, "$name: end")
				if $end eq 'FIN';
			$s->hang_up;
			truncate $t->dir . '/access.log', 0;
		}
	}
}

ok($t->wait_for(sub { active() == 1 }, 3), 'no connection is left')
	or diag(active());

# One that waits, and stays, is served on.

my $s = $t->ws('/shared?key=stays');
$s->write($message x 3);
like($s->read, qr/^text:/, 'a client that stays');
ok($s->silent(0.5), 'waits for its turn');
is($s->ping('here')->read, 'pong:here', 'and is there');

$t->finish;

###############################################################################

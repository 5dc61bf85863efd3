#!/usr/bin/perl

# Tests for WebSocket: wscat, as a person uses it.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Open2;
use NginxWs;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

log_format code "$ws_close_code $ws_messages_in";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }
}

EOF

###############################################################################

# wscat wants a terminal for its prompt; script(1) gives it one.

my $port = $t->port;
my $wscat = NginxWs::top() . '/target/clients/node_modules/.bin/wscat';
my $log = $t->dir . '/wscat.log';

open my $terminal, '|-',
	"script -qfc '$wscat -c ws://127.0.0.1:$port/ws' '$log' >/dev/null 2>&1"
	or die "script: $!\n";
$terminal->autoflush;

sub shown { $t->read_file('wscat.log') =~ s/\e\[[0-9;?]*[A-Za-z]//gr }

ok($t->wait_for(sub { shown() =~ /Connected \(press CTRL\+C to quit\)/ }),
	'connected');

for my $message ('hello', 'hello again', "\xc3\xa9\xe2\x82\xac") {
	print $terminal "$message\n";
	ok($t->wait_for(sub { shown() =~ /< \Q$message\E\s/ }), "'$message'");
}

# CTRL+C.

print $terminal "\x03";
close $terminal;
is(($t->logged(1))[0], '1005 3', 'closed by wscat')
	or diag(shown());

# And without a terminal, in a script; wscat leaves when its input ends.

open2(my $output, my $input, $wscat, '-c', "ws://127.0.0.1:$port/ws",
	'-x', 'hello', '-w', '1');
is(join('', <$output>), "hello\n", 'one command');

$t->finish;

###############################################################################

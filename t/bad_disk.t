#!/usr/bin/perl

# Tests for WebSocket: logs on a full disk.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

plan(skip_all => 'no /dev/full') unless -c '/dev/full';

my $t = NginxWs->new;
RestClient::backend($t);

# The log files may turn from full to writable while nginx runs.
my $d = $t->dir;
my @logs = map { "${_}_full.log" } 'access', 'buffered', 'error';
for my $log (@logs) {
	symlink '/dev/full', "$d/$log" or die "symlink: $!\n";
}

$t->run(<<'EOF');

log_format code "$status $uri $ws_close_code";

# Its error log tells of the full disk.
server {
    listen 127.0.0.1:%%PORT%%;
    access_log %%TESTDIR%%/access_full.log code;

    location /ws {
        ws_echo;
        ws_max_message 1k;
    }

    location /buffered {
        ws_echo;
        access_log %%TESTDIR%%/buffered_full.log code buffer=1k flush=50ms;
    }

    location /rest {
        ws_rest /api/;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        log_subrequest on;
    }
}

# Nothing can be logged at all.
server {
    listen 127.0.0.1:%%PORT_mute%%;
    access_log %%TESTDIR%%/access_full.log code;
    error_log %%TESTDIR%%/error_full.log info;

    location /ws {
        ws_echo;
        ws_max_message 1k;
    }

    location /rest {
        ws_rest /api/;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/gone/ {
        proxy_pass http://127.0.0.1:%%PORT_nobody%%;
    }
}

EOF

###############################################################################

# Every line of the logs is lost, and nothing else.

my ($worker) = $t->workers;
my %stay;

for my $name ('', 'mute') {
	my @at = (port => $t->port($name));
	my $where = $name || 'full access log';

	my $stay = $stay{$name} = $t->ws('/ws', @at);
	my $rest = RestClient->open($t, '/rest', @at);

	for my $i (1 .. 200) {
		my $s = $t->ws('/ws', @at);
		$s->text("line $i");
		if ($i % 2) {
			$s->read eq "text:line $i" or fail("$where: echo $i");
			$s->close(1000);
		} else {
			$s->text('', length => 2000);
		}
		$s->end;
	}

	my $close = $t->ws('/ws', @at)->text('x' x 1025);
	$t->closes($close, 1009, "$where: a violation");
	is($stay->text('stay')->read, 'text:stay', "$where: echo");
	is($rest->status_of('/api/x?body='), 200, "$where: call");
	is($rest->status_of('/api/gone/'), 502, "$where: call that fails")
		if $name;
	is($rest->status_of('/api/x?body='), 200, "$where: call after it");
}

for my $i (1 .. 100) {
	my $s = $t->ws('/buffered')->close(1000);
	$s->read_close;
	$s->end;
}

for my $log (@logs[0, 1]) {
	ok($t->wait_for(sub { $t->error_log
			=~ /\[alert\].* write\(\) to ".*$log" failed \(28: / }),
		"the error log says why $log has nothing");
}
is(join(' ', $t->workers), $worker, 'the worker stays');

# Room again.

unlink "$d/$_" for @logs;
$t->signal('USR1');
ok($t->wait_for(sub { 3 == grep { -e "$d/$_" } @logs }), 'logs are opened again');
$t->wait_for(sub {
	my $s = $t->ws('/ws', port => $t->port('mute'))->text('x' x 1025);
	$s->read_close;
	$s->end;
	# nginx does not try for the rest of the second.
	return $t->read_file('error_full.log') =~ /message too big/
		&& $t->read_file('access_full.log') =~ / 1009$/m;
});
like($t->read_file('error_full.log'),
	qr/client error: message too big, closing with 1009/,
	'what happens is logged again');
like($t->read_file('access_full.log'), qr!^101 /ws 1009$!m, 'in both logs');

for my $name ('', 'mute') {
	my $s = $stay{$name};
	is($s->text('still')->read, 'text:still', 'a socket from before');
	$t->closes($s->close(1000), 1000, 'and its end');
}
is(join(' ', $t->workers), $worker, 'all in one worker');

$t->expect(qr/write\(\) to ".*_full\.log" failed \(28: /);
$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: quit waits for calls, worker_shutdown_timeout and stop do
# not.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;

###############################################################################

my $http = <<'EOF';

log_format code "$status $uri $ws_close_code";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;
    ws_drain 0;

    location /ws {
        ws_rest /;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /stays/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_ignore_client_abort on;
    }
}

EOF

my $t = NginxWs->new;
RestClient::backend($t);

###############################################################################

# SIGQUIT: the reply, the close, and then nginx is gone.

$t->run($http);
my $s = RestClient->open($t);
$s->send({id => 1, path => '/api/?body=done&delay=500'});
RestClient::wait_seen($t, qr/done/);
$t->signal('QUIT');
is($s->decoded->{body}, 'done', 'quit: the reply');
is($s->read, 'close:1001 going away', 'quit: the close');
ok($t->alive, 'quit: waits for the client');
$s->close(1001)->end;
ok($t->stopped(2), 'quit: stops');
unlike($t->error_log, qr/open socket/, 'quit: no open sockets');

# A call that nobody waits for any more holds nginx up as long as it runs.

$t->run($http);
$s = RestClient->open($t);
$s->send({id => 1, path => '/stays/?body=&delay=600'});
RestClient::wait_seen($t, qr!/stays/!);
$s->hang_up;
my $start = time;
$t->signal('QUIT');
ok($t->stopped(3), 'quit: stops when an abandoned call has ended');
cmp_ok(time - $start, '>', 0.3, 'not before');

# worker_shutdown_timeout ends all calls.

$t->run($http, main => 'worker_shutdown_timeout 700ms;');
my @s = map { RestClient->open($t) } 1 .. 10;
for my $s (@s) {
	$s->send({id => 1, path => "/$_/timeout?fault=hang"}) for qw/api stays/;
}
my $gone = RestClient->open($t);
$gone->send({path => '/stays/timeout?fault=hang'});
RestClient::wait_seen($t, qr!/timeout!, 21);
$gone->hang_up;
my $aborted = grep { $_ eq 'aborted' } RestClient::seen($t);
$start = time;
$t->signal('QUIT');
is((grep { join(' ', $_->read_close) ne '1001 going away' } @s), 0,
	'worker_shutdown_timeout: 1001 for all');
my $seconds = time - $start;
cmp_ok($seconds, '>', 0.6, 'when it is over');
cmp_ok($seconds, '<', 1.5 * $NginxWs::slow, 'not later');
is((grep { $_->end ne 'eof' } @s), 0, 'no resets');
ok($t->stopped(2), 'worker_shutdown_timeout: stops');
ok(RestClient::wait_seen($t, 'aborted', $aborted + 21),
	'worker_shutdown_timeout: the backend is told');
unlike($t->error_log, qr/open socket/,
	'worker_shutdown_timeout: no open sockets');

# SIGTERM is at once.

$t->run($http);
@s = map { RestClient->open($t) } 1 .. 5;
$_->send({id => 1, path => '/api/term?fault=hang'}) for @s;
RestClient::wait_seen($t, qr!/term!, 5);
$start = time;
$t->signal('TERM');
ok($t->stopped(2), 'stop');
cmp_ok(time - $start, '<', 1 * $NginxWs::slow, 'at once');

$t->finish;

###############################################################################

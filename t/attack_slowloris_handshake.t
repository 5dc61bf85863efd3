#!/usr/bin/perl

# Tests for WebSocket under attack: handshakes that never end.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Bystander;
use NginxWs;
use Test::More;
use Time::HiRes qw/sleep time/;

###############################################################################

my $t = NginxWs->new->run(<<'EOF', events => 'worker_connections 1024;');

client_header_timeout 2s;

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_echo;
    }

    location /others {
        ws_echo;
        access_log off;
    }
}

EOF

###############################################################################

use constant COUNT => 300;

my $slow = $NginxWs::slow;
my $worker = ($t->workers)[0];

sub cpu { $t->cpu($worker) }

# Some say nothing, some never end the request line, some never end the header.

my @beginnings = ('', 'GET /ws', WsClient::upgrade() =~ s/\r\n\r\n/\r\nX-X: /r);

my $others = Bystander->new($t, path => '/others');
my ($rss, $cpu, $start) = ($t->rss($worker), cpu(), time);
my @attackers = map { WsClient->new(port => $t->port)
	->write($beginnings[$_ % 3]) } 1 .. COUNT;

while (grep { !$_->{ended} } @attackers) {
	last if time - $start > 15 * $slow;
	for my $i (grep { !$attackers[$_]{ended} } 0 .. $#attackers) {
		my $s = $attackers[$i];
		($i + 1) % 3 ? $s->write('x') : $s->read_some;
	}

	$others->ask;
	sleep 0.1;
}

my $took = time - $start;
my $grown = $t->rss($worker) - $rss;
$cpu = cpu() - $cpu;
note(sprintf 'closed after %.1f s; memory %.1f kB each, CPU %.2f s in all',
	$took, $grown / COUNT, $cpu);

is((grep { !$_->{ended} } @attackers), 0, 'all are closed');
cmp_ok($took, '>=', 1.9, 'not before client_header_timeout');
cmp_ok($took, '<', 2 + 10 * $slow, 'not long after it');
$others->served;
$t->uses($grown, 12 * COUNT, 'kilobytes of memory');
cmp_ok($cpu, '<', 1 * $slow, 'seconds of CPU');

is((grep { /" 101 / } $t->access_log), 0, 'no socket came of it');
like($t->error_log, qr/client timed out .*reading client request/, 'log');

$t->finish;

###############################################################################

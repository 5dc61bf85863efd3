#!/usr/bin/perl

# Tests for WebSocket: many reloads under load lose and leak nothing.
#
# TEST_NGINX_RELOADS is their number.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/time/;
use WsFrame;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

ws_zone counts 64k;
ws_message_zone $arg_key zone=quota:1m rate=100000r/s;

server {
    listen 127.0.0.1:%%PORT%%;
    ws_drain 100ms;
    ws_zone counts;
    ws_compression on;
    ws_message_limit zone=quota burst=60000;

    location /ws {
        ws_echo;
    }

    location /rest {
        ws_rest /api/;
        ws_route act GET /api/act?id=$ws_arg_id;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /status {
        ws_status json;
        access_log off;
    }
}

EOF

###############################################################################

use constant RELOADS => $ENV{TEST_NGINX_RELOADS} // 30;
use constant SOCKETS => 10;

my (%seen, %odd, @lost);
my ($opened, $next) = (0, 0);

sub odd { $odd{substr $_[0], 0, 100}++ }

sub open_socket {
	my ($kind) = @_;
	$opened++;
	my $s = $kind eq 'echo' ? $t->ws('/ws?key=a')
		: RestClient->open($t, '/rest?key=a');
	@$s{qw/kind waits/} = ($kind, {});
	return $s;
}

# Keeps four messages or calls of a socket on their way.

sub send_some {
	my ($s) = @_;

	while (keys %{$s->{waits}} < 4) {
		my $id = ++$next;
		$s->{waits}{$id} = 1;
		$s->{out} .= WsFrame::encode(1, $s->{kind} eq 'echo'
			? "$id:" . 'm' x 1000
			: qq!{"id":$id,"path":"/api/call?id=$id&body=$id&delay=5"}!);
	}
}

sub take {
	my ($s) = @_;

	while (my $frame = WsFrame::decode(\$s->{in})) {
		my $payload = $frame->{payload};

		if ($frame->{opcode} == 8) {
			$s->{told} = $payload eq "\x03\xe9going away"
				? 1001 : "close '$payload'";
			# Only calls that nobody took may be lost.
			push @lost, keys %{$s->{waits}} if $s->{kind} eq 'rest';
			$s->{waits} = {};
			$s->close(1001);
			return;
		}

		my ($id, $good) = $s->{kind} eq 'echo'
			? ($payload =~ /^(\d+):/, $payload =~ /^\d+:m{1000}$/)
			: ($payload =~ /^\{"id":(\d+),"status":/,
				$payload =~ /^\{"id":(\d+),"status":200,.*"body":"?\g1"?\b/);

		if ($s->{kind} eq 'rest' && $payload =~ /"error":"shutting_down"/) {
			$seen{refused}++;
			push @lost, $id;
		} elsif ($good && $frame->{opcode} == 1 && $frame->{fin}) {
			$seen{$s->{kind}}++;
		} else {
			odd("frame $frame->{opcode} $payload");
		}

		delete $s->{waits}{$id // ''} or odd("unasked $payload");
	}
}

my @sockets;

sub talk {
	for my $s (@sockets) {
		send_some($s);
		my $budget = time + 0.005;
		$s->pump(sub { take($s); $s->{told} || time > $budget },
			timeout => 0.002);

		if ($s->{told}) {
			my $end = $s->end(5);
			$end eq 'eof' && $s->{told} eq '1001' ? $seen{closed}++
				: odd("$s->{kind}: $s->{told}, $end");
			$s = open_socket($s->{kind});
		} elsif ($s->{ended}) {
			odd("$s->{kind}: no close, $s->{ended}");
			$s = open_socket($s->{kind});
		}
	}
}

###############################################################################

# What a process holds.

sub descriptors {
	my ($pid) = @_;
	my @fds = glob "/proc/$pid/fd/*";
	return scalar @fds;
}

sub shared {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/maps" or return '';
	no warnings 'portable';
	return join ' ', sort map {
		m!^(\w+)-(\w+) \S+s .*/dev/zero! ? hex($2) - hex($1) : ()
	} <$file>;
}

sub held {
	my ($worker) = $t->workers;
	return join ', ', map { descriptors($_) . ' and ' . shared($_) }
		$t->master, $worker;
}

# What they hold before the first socket, once the worker is there.
$t->http("GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	->end;
my $fresh = held();

# With one worker, although its clients go on, and then without them.

sub at_rest {
	my $until = time + 5;
	$t->wait_for(sub { talk(); $t->workers == 1 || time > $until });
	is(scalar(my @left = $t->workers), 1, 'one worker after the drain window');
	$_->hang_up for @sockets;
	@sockets = ();
	$t->wait_for(sub { held() eq $fresh }, 3);
	is(held(), $fresh, 'descriptors and shared memory of master and worker');
}

sub start_talk {
	@sockets = map { open_socket($_) } ('echo') x SOCKETS, ('rest') x SOCKETS;
	talk();
}

# Reloads again as soon as half of the sockets are told.

sub reload_under_load {
	my ($old) = $t->workers;
	my $goal = ($seen{closed} // 0) + SOCKETS;
	$t->signal('HUP');
	$t->wait_for(sub { talk(); ($seen{closed} // 0) >= $goal })
		or odd('nobody was told of a reload');
}

###############################################################################

start_talk();
reload_under_load() for 1 .. 5;
at_rest();
my $memory = $t->rss($t->master);
my $started = time;

start_talk();
reload_under_load() for 6 .. RELOADS;
my $seconds = time - $started;

at_rest();
my $grown = $t->rss($t->master) - $memory;

diag(sprintf '%d reloads, %.1f s, %d sockets, %d echoes, %d calls, %d refused,'
	. ' %d lost on the way, %d closed; master +%d kB; held: %s',
	RELOADS, $seconds, $opened, $seen{echo}, $seen{rest}, $seen{refused} // 0,
	scalar @lost, $seen{closed}, $grown, $fresh)
	if $ENV{TEST_NGINX_RELOADS};

is(join("\n", map { "$odd{$_} times $_" } sort keys %odd), '',
	'replies and 1001, nothing else');
cmp_ok($seen{closed}, '>=', SOCKETS * RELOADS, 'closed sockets');
cmp_ok($seen{echo}, '>', 20 * RELOADS / $NginxWs::slow, 'echoes');
cmp_ok($seen{rest}, '>', 20 * RELOADS / $NginxWs::slow, 'calls');

# A call that came to the backend was answered.

my %called = map { $_ => 1 } map { m!GET /api/call\?id=(\d+)&! }
	RestClient::seen($t);
is(join(' ', grep { $called{$_} } @lost), '', 'no call lost its reply');

$t->uses($grown, 1000 + 10 * RELOADS, 'memory of the master');

my $s = $t->http("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
my $counts = decode_json($s->body)->{counts};
is("$counts->{sockets}{total} $counts->{sockets}{active}"
	. " $counts->{draining_workers}", "$opened 0 0", 'sockets in ws_status');
is($counts->{closed}{server}{1001}, $seen{closed}, 'closed in ws_status');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: a call's place ends with its reply, not with what nginx does
# behind it, which neither holds up other calls nor a reload.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

proxy_cache_path %%TESTDIR%%/cache keys_zone=cache:1m;
ws_worker_inflight 2;

server {
    listen 127.0.0.1:%%PORT%%;

    ws_drain 200ms;
    ws_request_timeout 3s;

    location = /ws     { ws_rest /; }
    location = /single { ws_rest /; ws_inflight 1; }
    location = /strict { ws_rest /; ws_order strict; }

    location /mirrored/ {
        mirror /hang;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /followed/ {
        post_action /hang;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /cached/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%$request_uri;
        proxy_cache cache;
        proxy_cache_valid 1s;
        proxy_cache_use_stale updating;
        proxy_cache_background_update on;
        proxy_cache_key $uri;
    }

    location = /hang {
        internal;
        proxy_pass http://127.0.0.1:%%PORT_backend%%/hang?fault=hang&rest=;
    }

    location = /now { return 200 now; }
    location = /pid { return 200 $pid; }
}

EOF

###############################################################################

local $WsSocket::patience = 4;

# Requests that the backend has, and has not ended.

sub running {
	my $running = 0;
	$running += /^[A-Z]/ ? 1 : -1 for RestClient::seen($t);
	return $running;
}

# A response in the cache that is old.

my $s = RestClient->open($t);
is($s->get("/cached/$_?body=old")->{body}, 'old', 'into the cache') for 1 .. 5;
sleep 2;

# For each kind of work behind an answer, more of it than there are places.

my %calls = (
	'mirror' => sub { "/mirrored/$_[0]?body=answer" },
	'post_action' => sub { "/followed/$_[0]?body=answer" },
	'cache update' => sub { "/cached/$_[0]?fault=hang" },
);

for my $path ('/ws', '/single', '/strict') {
	for my $kind ('mirror', 'post_action', 'cache update') {
		next if $kind eq 'cache update' && $path ne '/ws';
		my $name = "$path, $kind";
		my $before = running();
		$s = RestClient->open($t, $path);
		for (1 .. 4) {
			my $reply = $s->call({id => $_, path => $calls{$kind}->($_)});
			is($reply->{id} // $reply->{status}, $_, "$name: call $_");
		}
		ok($t->wait_for(sub { running() > $before }, 4),
			"$name: something runs on");
		is($s->get('/now')->{body} // 'no reply', 'now', "$name: another call");
		is(RestClient->open($t)->get('/now')->{body} // 'no reply', 'now',
			"$name: a call of another socket");

		# A socket whose calls are all answered closes at once.

		is(join(' ', $s->close(1000)->read, $s->end(1)), 'close:1000 eof',
			"$name: close");
	}
}

# A reload is not held up.

my @kinds = ('mirror', 'post_action', 'cache update');
my @sockets = map { RestClient->open($t) } @kinds;
for my $i (0 .. $#sockets) {
	is($sockets[$i]->call({id => 1, path => $calls{$kinds[$i]}->(5)})->{id}
		// 'no reply', 1, "$kinds[$i]: a call before a reload");
}
# The processes of the cache are no workers.

my $old = RestClient->open($t)->get('/pid')->{body};
$t->signal('HUP');
ok($t->wait_for(sub { $t->error_log =~ /\b$old#\d+: gracefully shutting down/ }),
	'a reload');
is(join(' ', $_->read(3), $_->close(1001)->end(3)),
	'close:1001 going away eof', 'reload: close') for @sockets;
ok($t->gone($old, 6), 'the old worker is gone with the time of a call');

$t->finish;

###############################################################################

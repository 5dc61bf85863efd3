#!/usr/bin/perl

# Tests for ws_rest: pings and idle timeouts while calls run.

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

server {
    listen 127.0.0.1:%%PORT%%;

    location /idle {
        ws_rest /api/;
        ws_idle_timeout 200ms;
    }

    location /ping {
        ws_rest /api/;
        ws_ping_interval 150ms;
        ws_pong_timeout 150ms;
    }

    # While a call runs nothing is read, pongs neither.
    location /single {
        ws_rest /api/;
        ws_inflight 1;
        ws_ping_interval 150ms;
        ws_pong_timeout 150ms;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

my %call = (id => 1, path => '/api/?body=&delay=800');

# Reads to the reply; answers pings on the way.

sub ponging {
	my ($s) = @_;
	while (my $frame = $s->read_frame(3)) {
		return $frame->{payload} if $frame->{opcode} == 1;
		$s->pong($frame->{payload}) if $frame->{opcode} == 9;
	}
	return $s->{ended};
}

like(RestClient->open($t, '/idle')->raw(\%call), qr/"id":1,"status":200/,
	'a client that waits for a reply is not idle');

my $s = RestClient->open($t, '/idle')->send(\%call);
$s->reply;
$t->closes($s, 1001, 'idle after the reply', 'idle timeout');

like(ponging(RestClient->open($t, '/ping')->send(\%call)),
	qr/"id":1,"status":200/, 'pings during a call');
like(ponging(RestClient->open($t, '/single')->send(\%call)),
	qr/"id":1,"status":200/, 'pings during a call, at the limit');

# The client's own pings: answered at once below the limit, in order at it.

$s = RestClient->open($t, '/idle')->send(\%call)->ping('now');
is($s->read, 'pong:now', 'a ping overtakes a call');
like($s->reply, qr/"status":200/, 'the reply');

$s = RestClient->open($t, '/single')->send({%call, path => '/api/?delay=50'})
	->ping('later');
$s->reply;
is(join(' ', map { $_->{payload} } @{$s->{skipped}}, $s->read_frame),
	'later', 'at the limit a ping is answered after the call');

$t->finish;

###############################################################################

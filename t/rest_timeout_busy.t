#!/usr/bin/perl

# Tests for ws_rest: a call that is too late is ended also when its socket is
# busy at that moment.

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

my $t = NginxWs->new;
RestClient::backend($t);

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_inflight 100;
        ws_request_timeout 60ms;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
        proxy_ignore_client_abort on;
    }

    location /now {
        return 200;
    }
}

EOF

###############################################################################

# Events of the client's connection all the time, so that one comes between the
# end of a call's time and the timer that tells of it.

my @s = map { RestClient->open($t) } 1 .. 20;
my $calls = 0;

for my $round (1 .. 10) {
	for my $s (@s) {
		$s->send({id => 1, path => '/api/?fault=hang'});
		$calls++;
	}
	my $start = time;
	while (time - $start < 0.09 * $NginxWs::slow) {
		$_->ping('x') for @s;
	}
}

my %status;
for my $s (@s) {
	$status{$s->decoded->{status}}++ for 1 .. 10;
}
is_deeply(\%status, {504 => $calls}, 'every call gets its 504');

# A call's time may be over before the backend hears of it.

sub all_aborted {
	my ($name) = @_;
	my ($seen, $aborted);
	ok($t->wait_for(sub {
		my @seen = RestClient::seen($t);
		$seen = grep { /^GET / } @seen;
		$aborted = grep { $_ eq 'aborted' } @seen;
		return $seen > $calls * 0.5 && $aborted == $seen;
	}, 3), $name) or diag("$aborted of $seen of $calls");
}

all_aborted('and is ended');

# Clients that leave at that moment.

for my $s (@s) {
	$s->send({id => 1, path => '/api/?fault=hang'});
	$calls++;
}
my $start = time;
while (@s) {
	last if time - $start > 5;
	(shift @s)->hang_up if time - $start > 0.05;
	$_->ping('x') for @s;
}
all_aborted('also when the client leaves');

$t->finish;

###############################################################################

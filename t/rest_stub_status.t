#!/usr/bin/perl

# Tests for ws_rest: stub_status counts connections, not messages.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new->certificate;
RestClient::backend($t);

$t->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_tls%% ssl;
    ssl_certificate %%TESTDIR%%/cert.pem;
    ssl_certificate_key %%TESTDIR%%/key.pem;

    location /ws {
        ws_rest /api/;
        ws_request_timeout 100ms;
        ws_max_response 1000;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /api/now {
        return 200;
    }

    location /api/close {
        return 444;
    }

    location /status {
        stub_status;
    }
}

EOF

###############################################################################

sub status {
	my $body = $t->http("GET /status HTTP/1.0\r\n\r\n")->body
		// die "no status\n";
	my %status;
	@status{qw/active accepts handled requests/} = $body
		=~ /^Active connections: (-?\d+) \n.*\n (\d+) (\d+) (\d+) \n/;
	@status{qw/reading writing waiting/} = $body
		=~ /Reading: (-?\d+) Writing: (-?\d+) Waiting: (-?\d+)/;
	return \%status;
}

sub counts { my ($s) = @_; join ' ', @$s{qw/active reading writing waiting/} }

my $before = status();
is(counts($before), '1 0 1 0', 'one connection, that of the question');

my @s = map { RestClient->open($t, '/ws', $_ % 2
	? (tls => 1, port => $t->port('tls')) : ()) } 1 .. 4;
is(counts(status()), '5 0 5 0', 'four sockets');

# Messages of every kind, to every kind of end.

my @paths = map { "/api/$_" } 'now', 'close', '?size=10', '?fault=drop',
	'?size=100&cut=50', '?size=5000', 'x/../../outside', '%00', '?fault=hang',
	'?status=204';

for my $s (@s) {
	for my $path (@paths) {
		$s->send({path => $path}) for 1 .. 10;
	}
	$s->send('{');
	$s->reply for 1 .. 10 * @paths + 1;
}

my $after = status();
is(counts($after), '5 0 5 0', 'four sockets after many messages');
is($after->{accepts} - $before->{accepts}, 6, 'accepted connections');
is($after->{handled} - $before->{handled}, 6, 'handled connections');
is($after->{requests} - $before->{requests}, 6 + 4 * 10 * @paths,
	'messages are requests');

# While a call runs, it is no connection of a client... but counted as one, as
# long as it runs.

$s[0]->send({path => '/api/last?fault=hang'});
RestClient::wait_seen($t, qr!/api/last!);
cmp_ok(status()->{active}, '<=', 6, 'a call under way');
$s[0]->reply;

$_->send({path => '/api/left?fault=hang'}) for @s;
RestClient::wait_seen($t, qr!/api/left!, 4);
$_->hang_up for @s;
ok($t->wait_for(sub { counts(status()) eq '1 0 1 0' }), 'all sockets gone')
	or diag(counts(status()));

$t->finish;

###############################################################################

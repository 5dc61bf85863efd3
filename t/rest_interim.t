#!/usr/bin/perl

# Tests for ws_rest: an interim response of a backend is no reply, and neither
# is a 101.

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

$t->run(<<'EOT');

log_format call "$status $uri";
access_log %%TESTDIR%%/access.log call;

upstream kept {
    server 127.0.0.1:%%PORT_backend%%;
    keepalive 8;
}

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /;
        ws_response_headers x-early content-type;
        ws_request_timeout 8s;
    }

    location /1.1/ {
        proxy_pass http://kept;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }

    location /streamed/ {
        proxy_pass http://kept;
        proxy_http_version 1.1;
        proxy_buffering off;
    }

    # As for a backend that speaks WebSocket itself.
    location /upgraded/ {
        proxy_pass http://kept;
        proxy_http_version 1.1;
        proxy_set_header Connection upgrade;
        proxy_set_header Upgrade websocket;
    }

    location /own/ {
        return 103 "hint";
    }
}

EOT

###############################################################################

my $s = RestClient->open($t);
my $failed = '502 backend_failed the response is incomplete';

# A final response is one for nginx since 1.29; before, it cannot be had.

sub final {
	my ($path) = @_;
	my $reply = $s->get($path);
	return "$reply->{status} $reply->{error} $reply->{message}"
		unless $reply->{status} == 200;
	return join ' ', $failed, $reply->{headers}{'x-early'} // (),
		$reply->{body} eq 'final' ? () : $reply->{body};
}

for my $where (qw!/1.1/ /streamed/!) {
	is(final("$where?$_&body=final"), $failed, "$where: $_")
		for 'interim=100', 'interim=102', 'interim=103',
			'interim=103&interim=103&interim=100', 'interim=103&framing=chunked';
}

# A 101 is over at once, though the backend waits for more.

my $began = time;
for my $where (qw!/1.1/ /streamed/ /upgraded/!) {
	my $reply = $s->get("$where?interim=101");
	is("$reply->{status} $reply->{error} $reply->{message}", $failed,
		"$where: 101");
}
cmp_ok(time - $began, '<', 8, 'without a timeout');
$t->wait_for(sub { 3 <= grep { /^aborted/ } RestClient::seen($t) });
ok(3 <= (grep { /^aborted/ } RestClient::seen($t)),
	'the connections are closed');

is($s->call({path => '/own/x'})->{error}, 'backend_failed', 'of nginx itself');

# The socket goes on, and no connection that has more to say is used again.

is($s->get('/1.1/?body=after')->{body}, 'after', 'a call after it');
is((grep { !/^(?:200|502) / } $t->access_log), 0, 'access log')
	or diag($t->access_log);

$t->finish;

###############################################################################

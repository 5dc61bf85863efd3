#!/usr/bin/perl

# Tests for ws_rest: calls that are refused are logged with the reason.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new->run(<<'EOF');

server {
    listen 127.0.0.1:%%PORT%%;

    location /ws {
        ws_rest /api/;
        ws_route get GET /api/$ws_arg_id;
    }

    location /limited {
        ws_rest /api/;
        ws_message_rate 1r/m reject;
    }

    location /api/ {
        return 204;
    }
}

EOF

###############################################################################

my $s = RestClient->open($t);

sub logged {
	my ($s, $call, $reason, $name) = @_;
	my $before = () = $t->error_log =~ /\Q$reason\E/g;
	$s->send($call)->reply;
	is(() = $t->error_log =~ /\[info\][^\n]*websocket: call refused, \Q$reason\E/g,
		$before + 1, $name);
}

logged($s, @$_) for (
	['hello', 'bad_json: the message is not JSON', 'no JSON'],
	['{"path":1}', 'bad_message: "path" is not a string', 'no call'],
	['{"path":"x"}', 'bad_message: invalid "path"', 'no path'],
	['{"path":"/api/","headers":{"X":"y"}}', 'header_not_allowed:', 'header'],
	['{"action":"none"}', 'not_found: no such path or action here', 'action'],
	['{"action":"get"}', 'bad_message: a parameter is missing', 'parameter'],
	['{"path":"/api/../x"}', 'its path is outside of the prefix', 'prefix'],
	['{"path":"/../x"}', 'nginx cannot read its path', 'dots'],
);

my $limited = RestClient->open($t, '/limited');
$limited->get('/api/');
logged($limited, '{"path":"/api/"}', 'too_many_messages:', 'rate');

my $before = () = $t->error_log =~ /call refused/g;
is($s->status_of('/api/x'), 204, 'a good call');
is(() = $t->error_log =~ /call refused/g, $before, 'is not logged');

$t->finish;

###############################################################################

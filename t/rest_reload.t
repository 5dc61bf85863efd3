#!/usr/bin/perl

# Tests for ws_rest: a reload lets calls under way end, then closes with 1001.

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

my $conf = <<'EOF';

log_format code "$status $uri $ws_close_code $ws_close_reason";
access_log %%TESTDIR%%/access.log code;

server {
    listen 127.0.0.1:%%PORT%%;
    ws_drain 0;

    location /ws {
        ws_rest /;
    }

    location /one {
        ws_rest /;
        ws_inflight 1;
    }

    location /strict {
        ws_rest /;
        ws_order strict;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /generation {
        return 200 GENERATION;
    }
}

EOF

$t->run($conf =~ s/GENERATION/old/r);

###############################################################################

sub slow { {id => $_[0], path => "/api/$_[0]?body=done&delay=" . ($_[1] // 600)} }

# Calls under way, calls that wait, and none.

my @busy = map { RestClient->open($t) } 1 .. 5;
for my $s (@busy) {
	$s->send(slow($_)) for 1 .. 3;
}
my $strict = RestClient->open($t, '/strict');
$strict->send(slow('a', 700))->send(slow('b', 100));
my $queue = RestClient->open($t, '/one');
$queue->send(slow('first'))->send(slow('second', 1))->send('{');
my @idle = map { RestClient->open($t) } 1 .. 3;
my $late = RestClient->open($t)->send(slow('late'));
RestClient::wait_seen($t, qr/./, 5 * 3 + 4);

my ($old) = $t->reload($conf =~ s/GENERATION/new/r);

# The idle go at once.

is($_->read, 'close:1001 going away', 'idle') for @idle;
$_->close(1001)->end for @idle;

# A new call on a socket that is leaving.

$late->send({id => 'new', path => '/generation'});
is($late->reply, '{"id":"new","status":503,"error":"shutting_down",'
	. '"message":"the server is going away"}', 'a call after the reload');
$late->send('{"id":1}');
is($late->decoded->{error}, 'bad_message', 'no call after the reload');

# The busy get their replies first.

for my $s (@busy) {
	is(join(' ', sort map { my $r = $s->decoded; "$r->{id}:$r->{body}" } 1 .. 3),
		'1:done 2:done 3:done', 'replies after the reload');
	is(join(' ', $s->read), 'close:1001 going away', 'then the close');
	is($s->close(1001)->end, 'eof', 'and the end');
}

is(join(' ', map { $strict->decoded->{id} } 1, 2), 'a b', 'strict order');
is($strict->read, 'close:1001 going away', 'close after them');
$strict->close(1001)->end;

is($queue->decoded->{id}, 'first', 'the call under way');
is(join(' ', map { my $r = $queue->decoded; $r->{error} // 'served' } 1, 2),
	'shutting_down bad_json', 'those behind it are too late');
is($queue->read, 'close:1001 going away', 'the close');
$queue->close(1001)->end;

is($late->decoded->{id}, 'late', 'the late one');
is($late->read, 'close:1001 going away', 'the close');
$late->close(1001)->end;

ok($t->gone($old, 2), 'the old worker leaves');
is(RestClient->open($t)->get('/generation')->{body}, 'new', 'the new one serves');
unlike($t->error_log, qr/open socket/, 'no open sockets');
is((grep { /^101 .* 1001 going away$/ } $t->logged(20)), 11, 'log');

# A client that does not answer the close.

my $deaf = RestClient->open($t)->send(slow('x', 100));
RestClient::wait_seen($t, qr!/api/x!);
($old) = $t->reload;
$deaf->reply;
is($deaf->read, 'close:1001 going away', 'close to a client');
$deaf->hang_up;
ok($t->gone($old, 2), 'that then leaves');

# Reload after reload, with calls all the time: each is answered, or the socket
# says 1001.

my ($answered, $refused, $closed, $other) = (0) x 4;
my @s = map { RestClient->open($t) } 1 .. 20;

for my $round (1 .. 6) {
	for my $i (0 .. $#s) {
		$s[$i]->send(slow($_, 20)) for 1 .. 4;
	}
	$t->signal('HUP') if $round % 2;

	for my $s (@s) {
		my $open = 4;
		while ($open) {
			my $frame = $s->read_frame(5);
			if ($frame && $frame->{opcode} == 1) {
				$frame->{payload} =~ /"status":200/ ? $answered++
					: $frame->{payload} =~ /shutting_down/ ? $refused++
					: $other++;
				$open--;
			} elsif ($frame && $frame->{opcode} == 8) {
				# Calls sent before the close was seen are lost, as RFC 6455
				# has it.
				$closed++;
				$s->close(1001)->hang_up;
				last;
			} else {
				$other++;
				last;
			}
		}
	}
	@s = map { $_->{ended} ? RestClient->open($t) : $_ } @s;
}

cmp_ok($answered, '>', 100, 'calls answered');
cmp_ok($closed, '>=', 20, 'sockets closed with 1001');
is($other, 0, 'nothing else');

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: a module that edits headers of a call where they are changes
# them for this call only.

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

# A module that does it, for the nginx that is tested.

my $tree = $t->{binary} =~ s!/sbin/nginx$!!r;
plan skip_all => "no source of $t->{binary}" unless -e "$tree/objs/Makefile";

my $log = qx{cd '$tree/source' && cc -shared -fPIC -O1 -g -o '@{[$t->dir]}/edits.so' \\
	@{[map { "-I src/$_" } qw!core event event/modules event/quic os/unix http
		http/modules http/v2 http/v3!]} -I '$tree/objs/' \\
	'@{[$t->top]}/t/modules/edits.c' 2>&1};
is($?, 0, 'the module is built') or die $log;

RestClient::backend($t);

$t->run(<<'EOF', main => 'load_module %%TESTDIR%%/edits.so;');

log_format headers '$uri|$http_x_foo|$http_user_agent|$http_cookie|$cookie_a|$http_authorization|$remote_user|$http_referer|$http_host';
access_log %%TESTDIR%%/access.log headers;

server {
    listen 127.0.0.1:%%PORT%%;

    proxy_set_header Host $http_host;
    proxy_http_version 1.1;

    location = /ws     { ws_rest /; ws_client_headers X-Own; }
    location = /own    { ws_rest /; ws_client_headers X-Foo User-Agent Cookie Referer; }
    location /edited/  { edits_headers '-'; proxy_pass http://127.0.0.1:%%PORT_backend%%; }
    location /plain/   { proxy_pass http://127.0.0.1:%%PORT_backend%%; }
}

EOF

###############################################################################

my @names = qw/X-Foo User-Agent Cookie Authorization Referer Host/;
my @values = ('foo one', 'agent two', 'a=three', 'Basic dXNlcjpwYXNz',
	'http://four.example/', 'localhost');
my @headers = map { "$names[$_]: $values[$_]" } 0 .. 4;

sub edited {
	my $with = $_[0] // '-';
	return join '|', map { $with x (length($_) - 1) } @values;
}

my $plain = join '|', @values;
my $logged = join '|', @values[0 .. 2], 'three', $values[3], 'user',
	@values[4, 5];

# What the backend has got of each header.

sub got {
	my ($reply) = @_;
	return join '|', map { join ', ', RestClient::received($reply, $_) } @names;
}

my $s = RestClient->open($t, '/ws', headers => \@headers);

# One after the other.

is(got($s->get('/plain/')), $plain, 'a call');
for (1 .. 3) {
	is(got($s->get('/edited/')), edited(), "an edited call, $_");
	is(got($s->get('/plain/')), $plain, "the next call, $_");
	is(got($s->get("/edited/?to=$_")), edited($_), "and edited again, $_");
}
is($s->get('/plain/')->{body}{headers}[-1][0], 'Referer', 'names are left alone')
	or diag(explain($s->get('/plain/')->{body}{headers}));

# At the same time: what a call logs at its end is its own.

truncate $t->dir . '/access.log', 0;
$s->send({id => 'a', path => '/edited/slow?to=a&delay=400'});
$s->send({id => 'p', path => '/plain/slow?delay=400'});
RestClient::wait_seen($t, qr!^GET /(?:edited|plain)/slow!, 2);
$s->send({id => 'b', path => '/edited/quick?to=b'});
my %reply = map { my $r = $s->decoded; ($r->{id} => $r) } 1 .. 3;
is(got($reply{a}), edited('a'), 'a call that takes long');
is(got($reply{p}), $plain, 'and one beside it');
is(got($reply{b}), edited('b'), 'and a quick one');
my %line = map { split /\|/, $_, 2 } $t->logged(3);
unlike($line{'/edited/slow'} // 'b', qr/b/,
	'the line of the call that took long has nothing of another');
is($line{'/plain/slow'}, $logged, 'the line of the plain call');

# The socket's own line, and another socket.

truncate $t->dir . '/access.log', 0;
$s->close(1000)->end;
is(($t->logged(1))[-1], "/ws|$logged", "the socket's own line");

# Headers that a message has set.

$s = RestClient->open($t, '/own', headers => \@headers);
my %own = ('X-Foo' => 'own foo', 'User-Agent' => 'own agent', Cookie => 'a=o',
	Referer => 'http://own/');
for (1 .. 2) {
	my $reply = $s->call({path => '/edited/', headers => \%own});
	is((RestClient::received($reply, 'X-Foo'))[0], '-' x 6, "set, and edited, $_");
	$reply = $s->call({path => '/plain/', headers => \%own});
	is(join('|', map { RestClient::received($reply, $_) } sort keys %own),
		join('|', map { $own{$_} } sort keys %own), "set, $_");
	is(got($s->get('/plain/')), $plain, "those of the handshake, $_");
}

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_rest: more_set_input_headers of Debian's headers-more module, in a
# location that calls reach, changes the headers of these calls only.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

plan skip_all => 'not a Debian system' unless -e '/etc/debian_version';

my $more = $ENV{TEST_HEADERS_MORE}
	// '/usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so';
plan skip_all => 'no libnginx-mod-http-headers-more-filter' unless -e $more;

my $top = NginxWs::top();
my $module = $ENV{TEST_DEBIAN_MODULE};

if (!$module) {
	$module = "$top/target/debian/modules/libngx_ws.so";
	my $log = qx{'$top/nginx-build/debian' 2>&1};
	is($?, 0, 'nginx-build/debian') or die $log;
}

my $t = NginxWs->new(binary => '/usr/sbin/nginx', module => $module);
RestClient::backend($t);

$t->run(<<'EOF', main => "load_module $more;");

log_format headers '$uri|$http_x_foo|$http_user_agent|$http_cookie|$http_authorization';
access_log %%TESTDIR%%/access.log headers;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /ws { ws_rest /; }

    location /set/ {
        more_set_input_headers "X-Foo: $arg_to" "User-Agent: $arg_to"
            "Cookie: $arg_to" "Authorization: $arg_to" "X-New: $arg_to";
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /clear/ {
        more_clear_input_headers X-Foo User-Agent Cookie Authorization;
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }

    location /plain/ {
        proxy_pass http://127.0.0.1:%%PORT_backend%%;
    }
}

EOF

###############################################################################

my @names = qw/X-Foo User-Agent Cookie Authorization X-New/;
my @values = ('foo', 'agent', 'a=b', 'Basic dXNlcjpwYXNz');
my $plain = join('|', @values, '');

sub got {
	my ($reply) = @_;
	return join '|', map { join ', ', RestClient::received($reply, $_) } @names;
}

my $s = RestClient->open($t, '/ws', headers =>
	[map { "$names[$_]: $values[$_]" } 0 .. $#values]);

for my $round (1 .. 3) {
	is(got($s->get('/plain/')), $plain, "a call, round $round");
	is(got($s->get("/set/?to=x$round")), join('|', ("x$round") x 5),
		"all set, round $round");
	is(got($s->get('/plain/')), $plain, "the next call, round $round");
	is(got($s->get('/clear/')), '||||', "all cleared, round $round");
}

# At the same time.

truncate $t->dir . '/access.log', 0;
$s->send({id => 'a', path => '/set/a?to=a&delay=300'});
$s->send({id => 'p', path => '/plain/p?delay=300'});
RestClient::wait_seen($t, qr!^GET /\w+/[ap]\?!, 2);
$s->send({id => 'b', path => '/set/b?to=b'});
my %reply = map { my $r = $s->decoded; ($r->{id} => got($r)) } 1 .. 3;
is_deeply(\%reply, {a => 'a|a|a|a|a', p => $plain, b => 'b|b|b|b|b'},
	'at the same time');
is(join("\n", sort $t->logged(3)), join("\n", '/plain/p|' . join('|', @values),
	'/set/a|a|a|a|a', '/set/b|b|b|b|b'), 'lines of calls');

truncate $t->dir . '/access.log', 0;
$s->close(1000)->end;
is(($t->logged(1))[-1], '/ws|' . join('|', @values), "the socket's own line");

$t->finish;

###############################################################################

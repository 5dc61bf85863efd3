#!/usr/bin/perl

# Tests for ws_zone: which zone counts what, and what becomes of zones at a
# reload.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Metrics;
use NginxWs;
use Test::More;

###############################################################################

Example::setup();

my $locations = <<'EOF';

server {
    listen 127.0.0.1:%%PORT%%;

    location = /status { ws_status; }
    location = /status-b { ws_status b; }

    location /none { ws_echo; }
    location /a { ws_echo; ws_zone a; }

    location /b {
        ws_zone b;

        location /b/inherits { ws_echo; }
        location /b/not { ws_echo; ws_zone a; }
    }

    location /rest {
        ws_rest /api/;
        ws_zone b;
    }

    # The zone is that of the socket.
    location /api/ {
        ws_zone a;
        return 200 x;
    }
}

server {
    listen 127.0.0.1:%%PORT_SERVER%%;
    ws_zone b;
    location / { ws_echo; }
}

EOF

my $t = NginxWs->new->run("ws_zone a 64k;\nws_zone b 64k;\n$locations");

# "handshakes, messages, requests" of each zone, as "a 1 2 3 b 4 5 6".

sub seen {
	my ($path) = @_;
	my $zones = Metrics::json($t, $path);
	return join ' ', map { my $zone = $zones->{$_}; ($_, $zone->{sockets}{total},
		$zone->{messages}{in}{text}, $zone->{rest}{'2xx'}) } sort keys %$zones;
}

sub echo {
	my ($path, %o) = @_;
	my $s = $t->ws($path, %o);
	$s->text('x')->message;
	$s->close(1000)->end;
}

###############################################################################

is(seen(), 'a 0 0 0 b 0 0 0', 'two zones');

echo('/none');
is(seen(), 'a 0 0 0 b 0 0 0', 'with several zones, none by default');
echo('/a');
is(seen(), 'a 1 1 0 b 0 0 0', 'a location');
echo('/b/inherits');
is(seen(), 'a 1 1 0 b 1 1 0', 'inherited');
echo('/b/not');
is(seen(), 'a 2 2 0 b 1 1 0', 'replaced');
echo('/', port => $t->port('SERVER'));
is(seen(), 'a 2 2 0 b 2 2 0', 'a server');

my $s = $t->ws('/rest');
$s->text('{"path":"/api/x"}')->message;
is(seen(), 'a 2 2 0 b 3 3 1', 'a request counts where its socket does');

# The others are not touched.

my $handshake = $t->http("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")->status;
is($handshake, 426, 'a refused handshake');
is(Metrics::json($t)->{a}{handshakes}{426}, 1, 'is counted in its zone');
is(Metrics::json($t)->{b}{handshakes}{426}, 0, 'and nowhere else');

is(seen('/status-b'), 'b 3 3 1', 'a view of one zone');
my $values = Metrics::prometheus($t);
is($values->{'ws_sockets{zone="b"}'}, 1, 'the zone is a label');
is($values->{'ws_sockets{zone="a"}'}, 0, 'for each');
is(join(' ', grep { /zone="a"/ } keys %{Metrics::prometheus($t, '/status-b')}),
	'', 'a view of one zone for Prometheus');

# Reloads: zones that stay keep their counts, new ones begin, others go.

my $more = $locations =~ s/location \/none \{/location \/none { ws_zone c;/r;
my @old = $t->reload("ws_zone c 128k;\nws_zone b 64k;\nws_zone a 64k;\n$more");
is(seen(), 'a 2 2 0 b 3 3 1 c 0 0 0', 'another zone');
echo('/none');
is(seen(), 'a 2 2 0 b 3 3 1 c 1 1 0', 'counts');
$s->close(1001)->end;
ok($t->gone($_), 'the old worker leaves') for @old;
is(Metrics::wait($t, 'b', sub { !$_[0]{sockets}{active} })->{sockets}{active}, 0,
	'a socket of the old one has left its zone');

@old = $t->reload("ws_zone a 64k;\nws_zone b 64k;\n$locations");
is(seen(), 'a 2 2 0 b 3 3 1', 'zones that stay');
ok($t->gone($_), 'the old worker leaves') for @old;

@old = $t->reload("ws_zone a 64k;\nws_zone b 128k;\n$locations");
is(seen(), 'a 2 2 0 b 0 0 0', 'a zone of another size begins anew');
ok($t->gone($_), 'the old worker leaves') for @old;

# One zone for all.

my $one = <<'EOF';
ws_zone only 64k;
server {
    listen 127.0.0.1:%%PORT%%;
    location = /status { ws_status; }
    location / { ws_echo; }
}
EOF

@old = $t->reload($one);
echo('/x');
is(seen(), 'only 1 1 0', 'a single zone needs no reference');
ok($t->gone($_), 'the old worker leaves') for @old;

# No zone at all.

@old = $t->reload($one =~ s/ws_zone only 64k;//r);
is(seen(), '', 'no zone, no counters');
is_deeply(Metrics::parse(Metrics::get($t, '/status', 'Accept: text/plain')
	->body)->{samples}, [], 'for Prometheus neither');
echo('/x');
ok($t->gone($_), 'the old worker leaves') for @old;

# More processes than the smallest zone has places for: they work, uncounted.

my $full = $t->configuration($one =~ s/64k/32k/r =~ s/PORT%%;/PORT%% reuseport;/r);
my $workers = 60;
$t->write_file('nginx.conf', $full =~ s/processes 1;/processes $workers;/r);
@old = $t->reload;
ok($t->gone($_), 'the old worker leaves') for @old;
$t->wait_for(sub { $t->workers == $workers });
my @sockets = map { $t->ws('/x') } 1 .. 200;
is((grep { $_->text('x')->message eq 'text:x' } @sockets), 200,
	'more workers than places');
my $counted = Metrics::json($t)->{only}{sockets}{active};
cmp_ok($counted, '<', 200, 'some are not counted');
cmp_ok($counted, '>', 100, 'most are');
$_->close(1000)->end for @sockets;
is(Metrics::wait($t, 'only', sub { !$_[0]{sockets}{active} })->{sockets}{active},
	0, 'and are gone at the end');

# Names that need care in labels and members.

for my $name ('a-b_c.d', 'x y', "q'q", 'é') {
	my $conf = "ws_zone \"$name\" 64k;\nserver {\n"
		. "    listen 127.0.0.1:%%PORT%%;\n    location = /status { ws_status; }\n}\n";
	@old = $t->reload($conf);
	ok($t->gone($_), 'the old worker leaves') for @old;
	my $text = Metrics::get($t, '/status', 'Accept: text/plain')->body;
	my ($zone) = map { $_->{labels}{zone} } @{Metrics::parse($text)->{samples}};
	utf8::encode($zone);
	is($zone, $name, "a zone called $name");
	is(join(',', map { utf8::encode($_); $_ } keys %{Metrics::json($t)}), $name,
		'as JSON');
}

# Directives.

my @bad = (
	['ws_zone z 64k; ws_zone z 64k;',
		'"ws_zone" directive zone "z" is already defined'],
	['ws_zone z 4k;', '"ws_zone" directive zone "z" is too small'],
	['ws_zone z 12x;', '"ws_zone" directive invalid size "12x": expected a size'
		. ' such as 64k or 1m'],
	['ws_zone;', 'invalid number of arguments in "ws_zone" directive'],
	['ws_zone z 64k x;', 'invalid number of arguments in "ws_zone" directive'],
	['server { ws_zone z 64k; }',
		'"ws_zone" directive defines a zone outside of the http block'],
	['ws_zone z 64k; server { ws_zone z; ws_zone z; }',
		'"ws_zone" directive is duplicate'],
	['server { ws_status; }', '"ws_status" directive is not allowed here'],
	['server { location / { ws_status; ws_status; } }',
		'"ws_status" directive is duplicate'],
	['server { location / { ws_status json prometheus; } }',
		'"ws_status" directive names two formats'],
	['ws_zone z 64k; server { location / { ws_status z z; } }',
		'"ws_status" directive invalid parameter "z"'],
	['server { location / { ws_status json x y; } }',
		'invalid number of arguments in "ws_status" directive'],
	['server { location / { ws_status; ws_echo; } }',
		'"ws_echo" directive conflicts with another content handler of this'
		. ' location'],
	['server { location / { ws_echo; ws_status; } }',
		'"ws_status" directive conflicts with another content handler of this'
		. ' location'],
	['server { location / { ws_status; proxy_pass http://127.0.0.1; } }',
		'"ws_status" directive conflicts with another content handler of this'
		. ' location'],
);

for (@bad) {
	my ($conf, $message) = @$_;
	$t->rejects($conf, $message, $conf);
}

# A zone that is not defined anywhere is nginx's own message, without a line.

for my $conf ('ws_zone nowhere;', 'server { location / { ws_status nowhere; } }') {
	my ($good, $output) = $t->config_test($conf);
	ok(!$good, $conf);
	like($output, qr/\[emerg\] zero size shared memory zone "nowhere"/,
		'and what it says');
}

$t->finish;

###############################################################################

#!/usr/bin/perl

# Tests for ws_status: a Prometheus server scrapes it, evaluates the alert rules
# and answers the dashboard.  nginx-build/check-prometheus installs one.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy qw/copy/;
use JSON::PP;
use Metrics;
use NginxWs;
use RestClient;
use Test::More;
use Time::HiRes qw/sleep/;

###############################################################################

plan(skip_all => 'no Prometheus here, see nginx-build/check-prometheus')
	if grep { system("command -v $_ >/dev/null") } qw/prometheus promtool/;

Example::setup();

my $http = <<'EOF';

ws_zone main 64k;
ws_zone other 64k;

server {
    listen 127.0.0.1:%%PORT%% reuseport;

    # Prometheus asks for its format by Accept.
    location = /metrics { ws_status; }

    location = /ws { ws_rest /api/; ws_zone main; }
    location = /echo { ws_echo; ws_zone other; ws_message_rate 100r/s; }
    location /api/ { return 200 x; }
    location /api/bad/ { return 500; }
}

EOF

my $t = NginxWs->new;
my ($top, $dir) = (NginxWs::top(), $t->dir);
$t->write_file('nginx.conf', $t->configuration($http)
	=~ s/worker_processes 1;/worker_processes 2;/r);
$t->start('nginx.conf');
$t->wait_for(sub { $t->workers == 2 });

###############################################################################
# What promtool says.

copy("$top/conf/prometheus-alerts.yml", $dir) or die "copy: $!\n";
copy("$top/t/status_alerts.yml", $dir) or die "copy: $!\n";

sub promtool {
	my ($name, @command) = @_;
	my $output = qx{cd '$dir' && promtool @command 2>&1};
	is($?, 0, $name) or diag($output);
	return $output;
}

like(promtool('check rules', 'check rules prometheus-alerts.yml'),
	qr/SUCCESS: 12 rules found/, 'all of them');
promtool('test rules', 'test rules status_alerts.yml');

RestClient->open($t)->status_of('/api/x');
$t->write_file('metrics', Metrics::get($t, '/metrics', 'Accept: text/plain')
	->body);
is(promtool('check metrics', 'check metrics < metrics'), '', 'no advice');

# A server that looks twice a second.

my $target = '127.0.0.1:' . $t->port;
$t->write_file('prometheus.yml', <<"EOF");
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
  evaluation_interval: 1s
scrape_configs:
  - job_name: nginx_ws
    static_configs:
      - targets: ["$target"]
rule_files:
  - prometheus-alerts.yml
EOF
promtool('check config', 'check config prometheus.yml');

my $port = $t->port('prometheus');
my $pid = fork // die "fork: $!\n";

if (!$pid) {
	open STDERR, '>', "$dir/prometheus.log";
	open STDOUT, '>&', \*STDERR;
	exec 'prometheus', "--config.file=$dir/prometheus.yml",
		"--storage.tsdb.path=$dir/data", "--web.listen-address=127.0.0.1:$port"
		or POSIX::_exit(127);
}

END {
	my $status = $?;
	kill 'KILL', $pid and waitpid $pid, 0 if $pid;
	$? = $status;
}

sub api {
	my ($path) = @_;
	my $response = eval {
		$t->http("GET /api/v1/$path HTTP/1.0\r\nHost: localhost\r\n\r\n",
			port => $port);
	} or return {error => $@};
	return eval {
		$response->end;
		decode_json($response->{body} || $response->{in});
	} || {error => $response->head};
}

sub query {
	my ($expression) = @_;
	my $answer = api('query?query=' . RestClient::escaped($expression));
	return $answer->{data}{result} if ($answer->{status} // '') eq 'success';
	diag("$expression: $answer->{error}");
	return [];
}

# The value of an expression that has one.

sub value {
	my ($expression) = @_;
	my $result = query($expression);
	return @$result == 1 ? $result->[0]{value}[1] : scalar @$result . ' results';
}

sub becomes {
	my ($expression, $want, $name) = @_;
	my $seen;
	$t->wait_for(sub { ($seen = value($expression)) eq $want }, 10);
	is($seen, $want, $name // $expression);
}

$t->wait_for(sub { api('status/buildinfo')->{data} }, 30)
	or die "no Prometheus:\n" . $t->read_file('prometheus.log');
diag('Prometheus ' . api('status/buildinfo')->{data}{version});

###############################################################################

becomes('up{job="nginx_ws"}', 1);

my @sockets = map { $t->ws('/echo') } 1 .. 7;
becomes('ws_sockets{zone="other"}', 7, 'open sockets');
becomes('sum(ws_sockets)', 7, 'of all zones');

my $s = RestClient->open($t);
for my $round (1 .. 20) {
	$_->text('hello')->message for @sockets;
	$s->status_of('/api/x');
	$s->status_of('/api/bad/x') if $round % 5 == 0;
	sleep 0.1;
}

becomes('ws_messages_total{zone="other",direction="in",type="text"}', 140,
	'messages');
becomes('ws_message_bytes_total{zone="other",direction="out",type="text"}', 700,
	'bytes');
becomes('sum(ws_rest_requests_total{status="2xx"})', 21, 'requests');
becomes('sum(ws_rest_requests_total{status="5xx"})', 4, 'failed ones');
becomes('sum(ws_rest_request_duration_seconds_count)', 25, 'their durations');
is(value('histogram_quantile(0.5, sum by (le) '
		. '(ws_rest_request_duration_seconds_bucket)) < 1') =~ /^[\d.e-]+$/, 1,
	'a quantile');

# A worker is killed, and nginx reloaded: no counter goes back.

my ($victim) = $t->workers;
kill 'KILL', $victim;
$t->gone($victim);
$t->wait_for(sub { $t->workers == 2 });
$t->reload;
$_->hang_up for @sockets;

@sockets = map { $t->ws('/echo') } 1 .. 3;
$_->text('hello')->message for @sockets;
becomes('ws_messages_total{zone="other",direction="in",type="text"}', 143,
	'messages after that');
becomes('ws_sockets{zone="other"}', 3, 'sockets after that');
is(value('sum(resets(ws_messages_total[1m])) '
		. '+ sum(resets(ws_handshakes_total[1m]))'), 0, 'no counter was reset');
is(value('min_over_time(up[1m])'), 1, 'no scrape failed');

# Types and helps, as Prometheus understood them.

my $metadata = api('metadata')->{data};
my %types = map { $_ => $metadata->{$_}[0]{type} }
	grep { /^ws_/ } keys %$metadata;
is(scalar(keys %types), 11, 'metrics with metadata');
is($types{$_}, /_total$/ ? 'counter' : /_seconds$/ ? 'histogram' : 'gauge',
	"type of $_") for sort keys %types;

# The rules are evaluated, and none fires.

my @rules;
$t->wait_for(sub {
	@rules = map { @{$_->{rules}} } @{api('rules')->{data}{groups}};
	!grep { $_->{health} eq 'unknown' } @rules;
}, 30);
is(scalar(@rules), 12, 'rules');
is($_->{health} . ($_->{lastError} // ''), 'ok', "$_->{name} is evaluated")
	for @rules;

# RestErrors is pending: 4 of 25.
is(join(' ', sort map { $_->{labels}{alertname} }
	grep { $_->{state} eq 'firing' } @{api('alerts')->{data}{alerts}}), '',
	'none fires');

# The dashboard: each question has an answer.

my $dashboard = decode_json(do {
	local (@ARGV, $/) = "$top/conf/grafana-dashboard.json";
	<>;
});

for my $panel (@{$dashboard->{panels}}) {
	for my $target (@{$panel->{targets} // []}) {
		my $expression = $target->{expr} =~ s/\$__rate_interval/1m/gr
			=~ s/\$(instance|zone)/.*/gr;
		isnt(scalar @{query($expression)}, 0, "$panel->{title} $target->{refId}");
	}
}


###############################################################################
# What finish() looks for, without the kill.

ok($t->stop, 'nginx stops');
alarm 0;
is($t->{status}, 0, 'nginx exits with 0');
is_deeply([$t->error_log =~ /\[(?:alert|emerg)\] \d+#\d+: (.*)/g],
	["worker process $victim exited on signal 9"], 'no other alerts');

done_testing();

###############################################################################

#!/usr/bin/perl

# Tests for conf/grafana-dashboard.json and conf/prometheus-alerts.yml: they
# know the metrics that ws_status shows, and their labels and values.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Open2;
use JSON::PP;
use Metrics;
use NginxWs;
use Test::More;

###############################################################################

Example::setup();

my $top = NginxWs::top();
my $json = JSON::PP->new->utf8;

my $t = NginxWs->new->run(<<'EOF');

ws_zone main 64k;

server {
    listen 127.0.0.1:%%PORT%%;

    location = /metrics { ws_status prometheus; }
    location = /ws { ws_rest /api/; }
    location /api/ { return 200 x; }
}

EOF

my $s = $t->ws('/ws');
$s->text('{"path":"/api/"}')->message;
$s->close(1000)->end;

# The labels of each metric, and the values of each label.

my %labels;
for my $sample (@{Metrics::parse(Metrics::get($t, '/metrics')->body)->{samples}}) {
	my %has = %{$sample->{labels}};
	$labels{$sample->{name}}{$_}{$has{$_}} = 1 for keys %has;
	# Prometheus adds these.
	$labels{$sample->{name}}{$_} //= {} for qw/instance job/;
}
$labels{up} = {instance => {}, job => {nginx_ws => 1}};

###############################################################################

# Runs a program with something to read, and returns what it writes as JSON.

sub through {
	my ($input, @command) = @_;
	Example::environment($t);
	my $pid = open2(my $out, my $in, @command);
	print $in $input;
	close $in;
	my $output = do { local $/; <$out> };
	waitpid $pid, 0;
	die "@command failed\n" if $?;
	return $json->decode($output);
}

sub slurp {
	my ($name) = @_;
	open my $file, '<', "$top/$name" or die "$name: $!\n";
	local $/;
	return <$file>;
}

my %used;

# All files, and all that is PromQL in them, read at once.

my $dashboard = $json->decode(slurp('conf/grafana-dashboard.json'));
my @panels = grep { $_->{type} ne 'row' } @{$dashboard->{panels}};
my @variables = grep { $_->{type} eq 'query' }
	@{$dashboard->{templating}{list}};

my $rules = through(slurp('conf/prometheus-alerts.yml'), 'python', '-c',
	'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))');
my @alerts = map { @{$_->{rules}} } @{$rules->{groups}};

sub target { $_[0]{expr} =~ s/\$__rate_interval/5m/gr }
sub variable { $_[0]{query}{query} =~ /^label_values\((.*), (\w+)\)$/ }

my @texts = ((map { target($_) } map { @{$_->{targets}} } @panels),
	(map { (variable($_))[0] } @variables), map { $_->{expr} } @alerts);
my %read;
@read{@texts} = @{through($json->encode(\@texts), 'node',
	"$top/t/lib/promql.js")};

# Whether an expression is PromQL about metrics that there are; its labels.

sub expression {
	my ($name, $text) = @_;
	my $read = $read{$text};

	is_deeply($read->{errors}, [], "$name: PromQL") or diag($text);
	isnt(@{$read->{selectors}}, 0, "$name: asks for something");

	my %groups = map { $_ => 1 } @{$read->{groups}};
	for my $selector (@{$read->{selectors}}) {
		my $metric = $selector->{metric};
		my $has = $labels{$metric};
		ok($has, "$name: there is $metric") or next;
		$used{$metric} = 1;

		for (@{$selector->{matchers}}) {
			my ($label, $operator, $value) = @$_;
			ok($has->{$label}, "$name: $metric has $label") or next;
			next if $value =~ /^\$/;	# of the dashboard
			my $is = $operator =~ /~/ ? qr/^(?:$value)$/ : qr/^\Q$value\E$/;
			# Each of "a|b" matches something.
			for my $one ($operator =~ /~/ ? split /\|/, $value : $value) {
				ok((grep { $_ eq $one || $one =~ /[.*+]/ && /$is/ }
					keys %{$has->{$label}}), "$name: $label can be $one");
			}
		}

		ok($has->{$_}, "$name: $metric has $_ to group by") for keys %groups;
	}

	return $read;
}

# Labels that the result of an expression has: those grouped by, or all.

sub result_labels {
	my ($read) = @_;
	return {map { $_ => 1 } @{$read->{groups}}} if @{$read->{groups}};
	return {map { %{$labels{$_->{metric}} // {}} } @{$read->{selectors}}};
}

# The dashboard.

cmp_ok(@panels, '>', 10, 'panels');

my (%ids, %cells);
for my $panel (@{$dashboard->{panels}}) {
	is($ids{$panel->{id}}++, 0, "$panel->{title}: an id of its own");
	my ($x, $y, $w, $h) = @{$panel->{gridPos}}{qw/x y w h/};
	cmp_ok($x + $w, '<=', 24, "$panel->{title}: within the page");
	my $over = 0;
	for my $row ($y .. $y + $h - 1) {
		$over += $cells{"$_ $row"}++ for $x .. $x + $w - 1;
	}
	is($over, 0, "$panel->{title}: over no other");
}

for my $panel (@panels) {
	my $refs = join '', map { $_->{refId} } @{$panel->{targets}};
	is($refs, substr('ABCDEFGH', 0, length $refs), "$panel->{title}: targets");
	is($panel->{datasource}{uid}, '${datasource}', "$panel->{title}: source");

	for my $target (@{$panel->{targets}}) {
		my $read = expression("$panel->{title} $target->{refId}",
			target($target));

		# The choices at the top of the page hold everywhere.
		is(join(' ', map { join '', @$_[0 .. 2] } @{$_->{matchers}}[0, 1]),
			'instance=~$instance zone=~$zone', "$panel->{title}: chosen")
			for @{$read->{selectors}};

		my $has = result_labels($read);
		ok($has->{$_}, "$panel->{title}: {{$_}} is known")
			for $target->{legendFormat} =~ /\{\{(\w+)\}\}/g;
	}
}

for my $variable (@variables) {
	my ($metric, $label) = variable($variable);
	expression("\$$variable->{name}", $metric);
	ok($labels{ws_sockets}{$label}, "\$$variable->{name}: $label");
}

# Every metric is on it; of the histogram all parts.

is(join(' ', grep { !$used{$_} && $_ ne 'up' } sort keys %labels), '',
	'everything is shown');

# The rules.

cmp_ok(@alerts, '>', 10, 'rules');

my %names;
for my $rule (@alerts) {
	my $name = $rule->{alert};
	like($name, qr/^NginxWs[A-Z]\w+$/, 'a name');
	is($names{$name}++, 0, "$name: once");
	my $read = expression($name, $rule->{expr});
	like($rule->{labels}{severity}, qr/^(critical|warning|info)$/,
		"$name: severity");
	like($rule->{for} // '1m', qr/^\d+m$/, "$name: time");

	my $has = result_labels($read);
	for my $text (values %{$rule->{annotations}}) {
		ok($has->{$_}, "$name: $_ is known")
			for $text =~ /\{\{ \$labels\.(\w+) \}\}/g;
	}
}

# Each is tested (nginx-build/check-prometheus does that) to fire and not to.

my $tests = slurp('t/status_alerts.yml');
for my $name (sort keys %names) {
	is(() = $tests =~ /alertname: $name\b/g, 2, "$name: tested");
}

$t->finish;

###############################################################################

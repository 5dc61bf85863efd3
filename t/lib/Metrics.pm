package Metrics;

# What ws_status says, read by the parser of Prometheus' own client library for
# Python (t/backends/setup installs it).

use warnings;
use strict;

use IPC::Open2;
use JSON::PP;

use Example;

###############################################################################

my $parser = <<'EOF2';
import json, sys
from prometheus_client.parser import text_string_to_metric_families

families, samples, repeated = {}, [], []
for family in text_string_to_metric_families(sys.stdin.read()):
    if family.name in families:
        repeated.append(family.name)
    families[family.name] = {"type": family.type, "help": family.documentation}
    for sample in family.samples:
        samples.append({"family": family.name, "name": sample.name,
                        "labels": sample.labels, "value": sample.value})
print(json.dumps({"families": families, "samples": samples, "repeated": repeated}))
EOF2

# Families, samples in their order, and values by name and sorted labels, as
# 'ws_messages_total{direction="in",type="text",zone="z"}'; names of families that
# come twice, in "repeated".  A repeated sample or a broken histogram dies.

sub parse {
	my ($text) = @_;

	Example::setup();
	my $pid = open2(my $out, my $in,
		NginxWs::top() . '/target/backends/venv/bin/python', '-c', $parser);
	print $in $text;
	close $in;
	my $json = do { local $/; <$out> };
	waitpid $pid, 0;
	die "no metrics:\n$text" if $?;

	my $metrics = decode_json($json);
	for (@{$metrics->{samples}}) {
		my $name = name($_->{name}, %{$_->{labels}});
		die "repeated: $name\n" if exists $metrics->{values}{$name};
		$metrics->{values}{$name} = $_->{value};
	}

	check_histograms($metrics);
	return $metrics;
}

sub name {
	my ($name, %labels) = @_;
	return $name . '{' . join(',', map { "$_=\"$labels{$_}\"" } sort keys %labels)
		. '}';
}

# Buckets grow, in their order, up to the count.

sub check_histograms {
	my ($metrics) = @_;
	my %last;

	for (@{$metrics->{samples}}) {
		my %labels = %{$_->{labels}};
		my $le = delete $labels{le} // next;
		my $id = name($_->{family}, %labels);
		my ($bound, $count) = @{$last{$id} // [-1, 0]};
		my $value = $le eq '+Inf' ? 9**9**9 : $le;
		die "$id: bucket $le\n" unless $value > $bound && $_->{value} >= $count;
		$last{$id} = [$value, $_->{value}];
	}

	for my $id (keys %last) {
		my ($name, $labels) = $id =~ /^([^{]+)(.*)/;
		die "$id: no +Inf\n" unless $last{$id}[0] == 9**9**9;
		die "$id: count\n" unless $last{$id}[1]
			== $metrics->{values}{"${name}_count$labels"};
		die "$id: sum\n" unless exists $metrics->{values}{"${name}_sum$labels"};
	}
}

###############################################################################
# What a location of a test with ws_status says.

sub get {
	my ($t, $path, @headers) = @_;
	return $t->http(join "\r\n", "GET $path HTTP/1.1", 'Host: localhost',
		'Connection: close', @headers, '', '');
}

sub prometheus {
	my ($t, $path) = @_;
	return parse(get($t, $path // '/status', 'Accept: text/plain')->body)
		->{values};
}

sub json {
	my ($t, $path) = @_;
	return decode_json(get($t, $path // '/status')->body);
}

# Waits until a zone is as wanted; returns it as JSON.

sub wait {
	my ($t, $zone, $condition, $seconds) = @_;
	my $json;
	$t->wait_for(sub { $json = json($t)->{$zone}; $condition->($json) },
		$seconds);
	return $json;
}

###############################################################################

1;

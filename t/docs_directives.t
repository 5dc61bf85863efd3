#!/usr/bin/perl

# Tests for the documentation: docs/directives.md says what the code does.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Source;
use Test::More;

###############################################################################

my $t = NginxWs->new;

sub slurp {
	my ($name) = @_;
	open my $file, '<', $t->top . "/$name" or die "$name: $!\n";
	local $/;
	return <$file>;
}

my $page = slurp('docs/directives.md');

###############################################################################
# What the code says: a row of a topic's table.

my %code;
my %contexts = (ANYWHERE => 'http, server, location', HTTP => 'http',
	LOCATION => 'location');

for my $table (Source::all() =~ /^directives! \{\n(.*?)^\}/msg) {
	for (split /\n/, $table =~ s/^.*?;\n\n//sr) {
		my ($name, $where, $field, $default, $read) = /^\s+(?:inherited|own|http)\s+
			c"(ws_\w+)",\s+(\w+)\ \|\ [A-Z_\ |]+,\s+
			(\w+):\ [\w<>(),:\ ]+?(?:\ =\ (.*?))?,\s+(?:once|each|perhaps)\((.*)\);$/x
			or die "a row that is not understood: $_\n";
		die "$name twice\n" if $code{$name};
		$code{$name} = {contexts => $contexts{$where}, default => $default,
			kind => $read =~ /^(size|time|count|flag)\b/ ? $1 : $read};
	}
}

# This one says nothing of a block.

my ($zone, $where) = Source::all() =~ /block::row\(c"(ws_\w+)", (\w+) \|/;
$code{$zone} = {contexts => $contexts{$where}, kind => 'define'};

cmp_ok(keys %code, '>=', 32, 'rows');

# Rust's numbers, for defaults such as "1 << 20" and "120_000".

sub number {
	my ($text) = @_;
	$text =~ s/_//g;
	return $1 << $2 if $text =~ /^(\d+) << (\d+)$/;
	return $text if $text =~ /^(?:\d+|true|false)$/;
	die "a default that is not understood: $text\n";
}

# nginx's numbers.

my %unit = (size => {'' => 1, k => 1 << 10, m => 1 << 20, g => 1 << 30},
	time => {'' => 1000, ms => 1, s => 1000, m => 60_000, h => 3_600_000},
	count => {'' => 1});

sub value {
	my ($text, $kind) = @_;
	return {on => 'true', off => 'false'}->{$text} // $text if $kind eq 'flag';
	my ($n, $unit) = $text =~ /^(\d+)([a-z]*)$/ or return $text;
	return $n * ($unit{$kind}{$unit} // die "unit of $text\n");
}

###############################################################################
# What the page says.

my ($part) = $page =~ /^## Directives\n(.*?)^## /ms or die "no directives\n";
my %docs;
my @order;

for my $section (grep { /\S/ } split /^(?=### )/m, $part) {
	my ($name, $head, $text)
		= $section =~ /^### (\w+)\n\n```\n(.*?)\n```\n(.*)/s;
	my ($syntax, $default, $context) = ($head // '')
		=~ /^Syntax:  (.*)\nDefault: (.*)\nContext: (.*)$/
		or die "a section that is not understood:\n$section\n";
	die "$name twice\n" if $docs{$name};
	push @order, $name;
	$docs{$name} = {syntax => $syntax, default => $default,
		contexts => $context, text => $text};
}

is(join(' ', @order), join(' ', sort keys %code),
	'the directives of the table, by name');

###############################################################################
# Each of them.

# A value for those that have no default, and what a value needs around it.

my %sample = (
	ws_client_headers => 'X-Token', ws_echo => '', ws_message_rate => '10r/s',
	ws_message_limit => 'zone=z', ws_message_zone => '$uri zone=y:1m rate=1r/s',
	ws_rest => '/api/', ws_route => 'a GET /x', ws_status => '',
	ws_subprotocol => 'chat', ws_zone => 'counters',
);
my $around = 'ws_message_zone $uri zone=z:1m rate=1r/s; ws_zone counters 64k;';

# Beyond all ranges, but of the right form.
my %beyond = (size => '1025g', time => '400d', count => '4294967296');

for my $name (grep { $code{$_} } @order) {
	my ($code, $docs) = ($code{$name}, $docs{$name});

	is($docs->{contexts}, $code->{contexts}, "$name: contexts");
	like($docs->{syntax}, qr/^$name\b.*;$/, "$name: syntax");
	like($docs->{text}, qr/\n\nThis directive appeared in version \d+\.\d+\.\d+\.\s*\z/,
		"$name: version");

	my ($default) = $docs->{default} =~ /^$name (.+);$/;
	ok(defined $default || $docs->{default} eq "\x{e2}\x{80}\x{94}",
		"$name: default is a directive or none");

	# Where it may stand, by nginx itself.
	my $line = "$name " . ($default // $sample{$name} // die "no sample of $name\n") . ';';
	my $echo = $name =~ /^ws_(?:echo|rest|route|status)$/ ? '' : 'ws_echo;';
	for (['http', "$line"], ['server', "server { $line }"],
		['location', "server { location / { $echo $line } }"])
	{
		my ($context, $text) = @$_;
		if (", $docs->{contexts}," =~ / $context,/) {
			$t->accepts("$name in $context", "$around\n$text");
		} else {
			$t->rejects("$name in $context",
				qq/"$name" directive is not allowed here/, "$around\n$text");
		}
	}

	# What nobody has set, and what may be set.
	my $kind = $code->{kind};
	next unless $unit{$kind} || $kind eq 'flag';
	is(value($default, $kind), number($code->{default} // 'none'), "$name: default");

	next if $kind eq 'flag';
	my ($min, $max) = $docs->{text} =~ /^Values: `(\w+)` to `(\w+)`\.$/m;
	my $noun = $kind eq 'count' ? 'number' : $kind;
	$t->rejects("$name: values", qq/"$name" directive invalid $noun/
		. qq/ "$beyond{$kind}": expected / . ($min // '?') . ' to '
		. ($max // '?'), "$name $beyond{$kind};");
}

# Defaults that are no numbers.

sub default_is {
	my ($name, $default, $code) = @_;
	is($docs{$name}{default}, "$name $default;", "$name: default");
	is($code{$name}{default}, $code, "$name: in the code");
}

default_is('ws_order', 'completion', 'false');
default_is('ws_origin', 'any', 'same_if_calls(location)');
like(Source::all(), qr/true => OriginPolicy::List\(vec!\[Pattern::Same\]\),
 +false => OriginPolicy::Any,/, 'ws_origin: both defaults in the code');
like($docs{ws_origin}{text}, qr/default for `ws_rest` and\s+`ws_route` is `same`/,
	'ws_origin: the other default');

my ($headers) = Source::all() =~ /RESPONSE_HEADERS: \[&str; \d+\] = \[(.*?)\];/;
default_is('ws_response_headers', join(' ', $headers =~ /"([^"]+)"/g),
	'RESPONSE_HEADERS.map(str::to_owned).to_vec()');

# Names that ws_client_headers refuses are those of the page.

my $reserved = Source::with(qr/^const DROPPED:/m);
my ($names) = $reserved =~ /const DROPPED: &\[&str\] = &\[(.*?)\];/s;
my ($prefixes) = $reserved =~ /const DROPPED_PREFIXES: &\[&str\] = &\[(.*?)\];/s;
my ($list) = $docs{ws_client_headers}{text}
	=~ /^These names are refused.*?: (.*?)\.\n/ms;
is(join(' ', sort map { lc } $list =~ /`([^`]+)`/g),
	join(' ', sort 'host', map { /"([^"]+)"/g } $names, $prefixes),
	'ws_client_headers: names that are refused');

# Actions of rates.

my ($actions) = Source::with(qr/let parsed = match arg \{/)
	=~ /let parsed = match arg \{\n(.*?)_ => None/s;
my $either = join ' | ', $actions =~ /"(\w+)" =>/g;
like($docs{$_}{syntax}, qr/ \[\Q$either\E\];$/, "$_: actions")
	for qw/ws_message_limit ws_message_rate/;

###############################################################################
# Variables.

my ($variables) = Source::with(qr/^pub\(crate\) static VARIABLES:/m)
	=~ /static VARIABLES: \[.*?\] = \[\n(.*?)^\];/ms;
my ($documented) = $page =~ /^## Variables\n(.*)/ms;
my @documented = $documented =~ /^\| `\$(\w+)` \|/mg;

is(join(' ', @documented), join(' ', sort $variables =~ /^\s*\("(\w+)",/mg),
	'the variables of the table, by name');
$t->accepts("\$$_", "log_format x '\$$_'; access_log off;") for @documented;
like(($t->config_test('log_format x $ws_other; access_log off;'))[1],
	qr/unknown "ws_other" variable/, 'no other variable');

# All of them have come with some version.

my $changes = slurp('CHANGELOG.md');
is(join(' ', grep { $changes !~ /`\$?$_`/ } @order, @documented), '',
	'CHANGELOG.md names all');

# Links within the page.

my %anchors = map { lc() => 1 } $page =~ /^#+ (\w+)$/mg;
is(join(' ', grep { !$anchors{$_} } $page =~ /\]\(#([^)]+)\)/g), '',
	'links lead somewhere');
is(join(' ', grep { my $name = $_; $page !~ /\]\(#$name\)/ } @order), '',
	'all directives are linked');

$t->finish;

###############################################################################

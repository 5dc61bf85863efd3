#!/usr/bin/perl

# Tests for the documentation: the examples of docs/protocol.md.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Source;
use Test::More;
use WsFrame;

###############################################################################

my $t = NginxWs->new;

sub slurp {
	my ($name) = @_;
	open my $file, '<', $t->top . "/$name" or die "$name: $!\n";
	local $/;
	return <$file>;
}

my $page = slurp('docs/protocol.md');

# Blocks of the page: language, arguments, lines.

my @blocks;
push @blocks, [$1, $2 // '', $3]
	while $page =~ /^```(\w+)(?: ([^\n]*))?\n(.*?)^```$/msg;

my ($conf, @more) = map { $_->[2] } grep { $_->[0] eq 'nginx' } @blocks;
is(@more, 0, 'one configuration');

my @examples = grep { $_->[0] ne 'nginx' } @blocks;
is(join(' ', sort keys %{{map { $_->[0] => 1 } @examples}}), 'http ws',
	'kinds of examples');
is(@examples, () = $page =~ /^```(?:http|ws)/mg, 'all examples');
cmp_ok(@examples, '>=', 16, 'number of examples');

$conf =~ s/listen 8080;/listen 127.0.0.1:%%PORT%%;/;
$conf =~ s/127\.0\.0\.1:9000/127.0.0.1:%%PORT_service%%/g;
$t->run($conf);

###############################################################################

for my $example (@examples) {
	my ($kind, $arguments, $text) = @$example;
	my @lines = split /\n/, $text;
	is((grep { !/^[<>](?: |$)/ } @lines), 0, 'lines of an example')
		or diag($text);
	$kind eq 'ws' ? exchange($arguments, @lines) : handshake(@lines);
}

# What a socket says, line by line.

sub exchange {
	my ($path, @lines) = @_;
	my $s = $t->ws($path);

	# Whatever is sent is answered.
	is((grep { /^</ } @lines), (grep { /^>/ } @lines), 'as many answers');

	for (@lines) {
		my ($direction, $text) = /^(.) (.*)$/;

		if ($direction eq '>') {
			send_line($s, $text);
		} elsif ($text =~ /\.\.\./) {
			my $pattern = quotemeta($text) =~ s/\Q\.\.\.\E/[0-9]+/r;
			like(received($s), qr/^$pattern$/, $text);
		} else {
			is(received($s), $text, $text);
		}
	}

	ok($s->silent(0.05), 'and no more') unless $s->{ended};
}

sub send_line {
	my ($s, $text) = @_;
	return $s->text($text) unless $text =~ /^\((.*)\)$/;

	$1 =~ /^close (\d+) (.*)$/ ? $s->close($1, $2)
		: $1 =~ /^binary ([0-9a-f]+)$/ ? $s->binary(pack 'H*', $1)
		: $1 =~ /^ping ([0-9a-f]+)$/ ? $s->ping(pack 'H*', $1)
		: $1 =~ /^(\d+) bytes of text$/ ? $s->text('x' x $1)
		: die "a line that is not understood: $text\n";
}

sub received {
	my ($s) = @_;
	my $seen = $s->read;
	return $1 if $seen =~ /^text:(.*)$/s;
	return "($1 " . unpack('H*', $2) . ')' if $seen =~ /^(pong):(.*)$/s;
	return "(close $1)" if $seen =~ /^close:(.*)$/s && $s->end;
	return $seen;
}

# A request, and lines that the response has, its status first; behind an
# empty line, the body.

sub handshake {
	my (@lines) = @_;
	my ($request, $response) = map {
		my $direction = $_;
		[map { /^\Q$direction\E ?(.*)$/ ? $1 : () } @lines]
	} '>', '<';

	is($request->[-1], '', 'the request ends');
	my $s = $t->http(join '', map { "$_\r\n" } @$request);

	my ($status, @rest) = @$response;
	my ($line, @headers) = split /\r\n/, $s->head;
	is($line, $status, $status);

	my %headers = map { $_ => 1 } @headers;
	while (@rest && length(my $header = shift @rest)) {
		ok($headers{$header}, $header) or diag($s->head);
	}

	is($s->body, join('', map { "$_\n" } @rest), 'body') if @rest;
}

###############################################################################
# The tables of errors and close codes are those of the code.

my %documented = map { $_ => 1 }
	map { /^\| ([45]\d\d) \| `(\w+)` \|/ ? "$1 $2" : () } split /\n/, $page;
my %errors = map { $_ => 1 } map { s/, "/ /r } Source::with(
	qr/^pub enum Failure/m) =~ /\(\s*(\d{3}, "[a-z_]+)"/g;
cmp_ok(keys %errors, '>=', 11, 'errors of the code');
is(join(', ', sort keys %documented), join(', ', sort keys %errors),
	'the errors of the code');

my $violations = Source::with(qr/^pub enum Violation/m);
my ($codes) = $violations =~ /fn close_code.*?match self \{(.*?)\n        \}/s;
my ($reasons) = $violations =~ /fn reason.*?match self \{(.*?)\n        \}/s;
my %code;
while ($codes =~ /([^=]+)=> (\d+),/g) {
	my $number = $2;
	$code{$_} = $number for $1 =~ /Self::(\w+)/g;
}
my %closes = map { $_ => 1 } '1001 going away', '1001 idle timeout',
	'1001 lifetime';
while ($reasons =~ /Self::(\w+) => "([^"]+)"/g) {
	$closes{($code{$1} // die "no code of $1\n") . " $2"} = 1;
}
cmp_ok(keys %closes, '>=', 20, 'close codes of the code');

my ($end) = $page =~ /^## The end\n(.*)/ms;
my %closed = map { $_ => 1 }
	map { /^\| (\d+) \| `([^`]+)` \|/ ? "$1 $2" : () } split /\n/, $end;
is(join(', ', sort keys %closed), join(', ', sort keys %closes),
	'the close codes of the code');

$t->finish;

###############################################################################

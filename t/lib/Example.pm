package Example;

# Runs a file of conf/examples in front of real backends (t/backends).
#
# The file is used as it is, but for
#   - the port N of "listen N" and "server 127.0.0.1:N", which becomes
#     127.0.0.1 and the port("N") of the test;
#   - path and level of error_log, which the harness reads;
#   - what a test itself replaces, such as a timeout that is too long for it.
# Its snippets, certificate, temporary files and logs are in the test's folder.

use warnings;
use strict;

use IO::Socket::IP;
use POSIX qw/WNOHANG/;
use Time::HiRes qw/sleep/;

use NginxWs;

our @ISA = qw/NginxWs/;

my %backends;

###############################################################################

# Installs the backends, when they are not there yet.

sub setup {
	my $top = NginxWs::top();
	system("$top/t/backends/setup >&2") == 0 or die "t/backends/setup failed\n";
}

# An example in the folder of the test, not started; %replace is text that it
# has and what to put there.

sub new {
	my ($class, $name, %replace) = @_;

	setup();

	my $self = NginxWs::new($class);
	my ($top, $dir) = (NginxWs::top(), $self->dir);

	mkdir "$dir/$_" for qw/logs tmp tls modules/;
	chmod 0777, "$dir/tmp";
	symlink $self->{module}, "$dir/modules/libngx_ws.so";
	symlink 'tmp/nginx.pid', "$dir/nginx.pid";
	system('cp', '-R', "$top/conf/snippets", "$top/target/nginx/conf/mime.types",
		$dir) == 0 or die "cp failed\n";

	$self->certificate;
	rename "$dir/$_", "$dir/tls/$_" for qw/cert.pem key.pem/;

	$self->{example} = $name;
	$self->render(%replace);
	return $self;
}

# Writes nginx.conf.

sub render {
	my ($self, %replace) = @_;

	my $file = $self->top . "/conf/examples/$self->{example}.conf";
	open my $example, '<', $file or die "$file: $!\n";
	my $conf = join '', <$example>;

	replace(\$conf, $_, $replace{$_}) for sort keys %replace;
	$conf =~ s!^error_log logs/error.log \w+;!error_log error.log notice;!m
		or die "no error log\n";

	$conf =~ s/^(\s*listen )(\d+)\b/"${1}127.0.0.1:" . $self->port($2)/gem
		or die "nothing listens\n";
	$conf =~ s/^(\s*server 127\.0\.0\.1:)(\d+);/$1 . $self->port($2) . ';'/gem;

	$self->write_file('nginx.conf', "daemon off;\n$conf");
}

# Changes a snippet for this test.

sub snippet {
	my ($self, $name, %replace) = @_;
	my $text = $self->read_file("snippets/$name.conf");
	replace(\$text, $_, $replace{$_}) for sort keys %replace;
	$self->write_file("snippets/$name.conf", $text);
}

sub replace {
	my ($conf, $from, $to) = @_;
	$$conf =~ s/\Q$from\E/$to/g or die "the example has no '$from'\n";
}

# Whether "nginx -t" takes the example, and what it says.

sub loads {
	my ($self) = @_;
	my $output = qx{'$self->{binary}' -t -p '$self->{dir}/' \\
		-e '$self->{dir}/test.log' -c nginx.conf 2>&1};
	return $? == 0 && $output !~ /\[(?!notice)/ ? 'yes' : $output;
}

sub go {
	my ($self) = @_;
	return $self->start('nginx.conf');
}

###############################################################################
# Backends.

# Starts a program that will listen on port($port), and waits for it.  In the
# arguments PORT is that port.

sub backend {
	my ($self, $port, @command) = @_;

	my $number = $self->port($port);
	s/\bPORT\b/$number/ for @command;

	my $log = $self->dir . "/backend-$port.log";
	my $pid = fork // die "fork: $!\n";

	if (!$pid) {
		setpgrp;
		open STDIN, '<', '/dev/null';
		open STDERR, '>>', $log;
		open STDOUT, '>&', \*STDERR;
		chdir $self->top . '/t/backends';
		environment($self);
		exec @command or POSIX::_exit(127);
	}

	$backends{$pid} = 1;

	my $listens = sub {
		IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $number);
	};
	$self->wait_for(sub { $listens->() || waitpid($pid, WNOHANG) }, 30);
	die "no backend @command:\n" . $self->read_file("backend-$port.log")
		unless $listens->();

	return $pid;
}

sub stop_backend {
	my ($pid) = @_;
	kill 'KILL', -$pid;
	waitpid $pid, 0;
	delete $backends{$pid};
}

sub environment {
	my ($self) = @_;
	my $backends = $self->top . '/target/backends';
	$ENV{PATH} = "$backends/venv/bin:$ENV{PATH}";
	$ENV{NODE_PATH} = "$backends/node_modules";
	$ENV{PYTHONDONTWRITEBYTECODE} = 1;
	$ENV{PYTHONUNBUFFERED} = 1;
}

# Runs a client of t/backends to its end, and returns what it prints.

sub client {
	my ($self, @command) = @_;

	my $pid = open my $pipe, '-|';
	die "fork: $!\n" unless defined $pid;

	if (!$pid) {
		chdir $self->top . '/t/backends';
		environment($self);
		exec @command or POSIX::_exit(127);
	}

	local $/;
	return <$pipe> // '';
}

END {
	my $status = $?;
	stop_backend($_) for keys %backends;
	$? = $status;
}

###############################################################################
# Clients of a port of the example.

sub ws {
	my ($self, $port, $path, %o) = @_;
	return $self->NginxWs::ws($path, port => $self->port($port), %o);
}

# A request of its own connection; the whole body, also one without a length.
# Options: method, headers, body, name (Host), and those of WsClient.

sub get {
	my ($self, $port, $path, %o) = @_;

	my @lines = (($o{method} // 'GET') . " $path HTTP/1.1",
		'Host: ' . ($o{name} // 'localhost'), 'Connection: close',
		@{$o{headers} // []},
		defined $o{body} ? 'Content-Length: ' . length $o{body} : ());

	my $s = $self->http(join("\r\n", @lines, '', $o{body} // ''),
		port => $self->port($port), tls => $o{tls});

	if (!defined $s->header('Content-Length') && $s->end eq 'eof') {
		my $body = $s->{in};
		if (($s->header('Transfer-Encoding') // '') eq 'chunked') {
			my $chunks = $body;
			$body = '';
			while ($chunks =~ s/^([0-9a-f]+)\r\n//i && hex $1) {
				$body .= substr $chunks, 0, hex $1, '';
				substr $chunks, 0, 2, '';
			}
		}
		$s->{body} = $body;
	}

	return $s;
}

###############################################################################

1;

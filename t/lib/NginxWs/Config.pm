package NginxWs::Config;

# Ports, files and configuration of a test, and what "nginx -t" says of it.

use warnings;
use strict;

use Test::More;

use NginxWs::Ports;

###############################################################################

# The port called %%PORT_name%% in the configuration, or %%PORT%%.

sub port {
	my ($self, $name) = @_;
	return $self->{ports}{$name // ''} //= NginxWs::Ports::reserve();
}

sub write_file {
	my ($self, $name, $content) = @_;
	open my $file, '>', "$self->{dir}/$name" or die "$name: $!\n";
	print $file $content;
	close $file;
	return "$self->{dir}/$name";
}

sub read_file {
	my ($self, $name) = @_;
	open my $file, '<', "$self->{dir}/$name" or return '';
	local $/;
	return <$file> // '';
}

# Makes cert.pem and key.pem for localhost.

sub certificate {
	my ($self) = @_;
	my $d = $self->{dir};
	system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256"
		. " -nodes -subj /CN=localhost -days 2 -keyout '$d/key.pem'"
		. " -out '$d/cert.pem' >'$d/openssl.log' 2>&1") == 0
		or die "openssl failed: " . $self->read_file('openssl.log');
	return $self;
}

###############################################################################
# Configuration.  What a test gives is the content of http{}; the option
# "main" is put before it, "events" into events{}; "workers" is
# their number.

sub configuration {
	my ($self, $http, %o) = @_;

	my $load = length $self->{module} ? "load_module $self->{module};" : '';
	my $log = $o{log} // 'error.log';
	my $main = $o{main} // '';
	my $events = $o{events} // '';
	my $workers = $o{workers} // 1;

	# An access log of the test would be written beside this one.
	my $access = $http =~ /^access_log/m ? ''
		: 'access_log %%TESTDIR%%/access.log;';

	return $self->expand(<<"EOF");
$load
daemon off;
worker_processes $workers;
pid %%TESTDIR%%/nginx.pid;
error_log %%TESTDIR%%/$log info;
$main
events {
    $events
}

http {
    $access
    client_body_temp_path %%TESTDIR%%/client_body_temp;
    proxy_temp_path %%TESTDIR%%/proxy_temp;
    fastcgi_temp_path %%TESTDIR%%/fastcgi_temp;
    uwsgi_temp_path %%TESTDIR%%/uwsgi_temp;
    scgi_temp_path %%TESTDIR%%/scgi_temp;
$http
}
EOF
}

sub expand {
	my ($self, $text) = @_;
	$text =~ s/%%TESTDIR%%/$self->{dir}/g;
	$text =~ s/%%TOP%%/$self->top/ge;
	$text =~ s/%%PORT(?:_(\w+?))?%%/$self->port($1)/ge;
	return $text;
}

# Whether "nginx -t" takes a configuration, and what it says.

sub config_test {
	my ($self, $http, %o) = @_;

	$self->write_file('test.conf',
		$self->configuration($http, log => 'test.log', %o));
	my $output = qx{'$self->{binary}' -t -p '$self->{dir}' \\
		-e '$self->{dir}/test.log' -c test.conf 2>&1};

	return ($? == 0, $output);
}

sub accepts {
	my ($self, $name, $http, %o) = @_;
	my ($good, $output) = $self->config_test($http, %o);
	ok($good, $name) or diag($output);
}

# $message is the whole text after "nginx: [emerg] " up to the file name, or a
# regular expression for it.

sub rejects {
	my ($self, $name, $message, $http, %o) = @_;
	my ($good, $output) = $self->config_test($http, %o);

	my ($got) = $output
		=~ m{^nginx: \[emerg\] (.*?) in \S+/test\.conf:\d+$}m;

	return fail($name) || diag("accepted:\n$output") if $good;
	(ref $message ? like($got, $message, $name) : is($got, $message, $name))
		or diag($output);
}

###############################################################################

1;

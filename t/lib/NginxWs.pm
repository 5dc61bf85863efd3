package NginxWs;

# Runs nginx with the module in a temporary folder, for one test file.
#
# Environment: TEST_NGINX_BINARY, TEST_NGINX_MODULE, TEST_NGINX_LEAVE (keeps
# the folder), TEST_NGINX_WRAP (a command before nginx, such as valgrind; time
# limits grow then).

use warnings;
use strict;

use Cwd qw/abs_path/;
use File::Basename qw/dirname/;
use File::Temp qw/tempdir/;
use Test::More;

use NginxWs::Config;
use NginxWs::Process;
use WsClient;

###############################################################################

my $top = abs_path(dirname(__FILE__) . '/../..');

our @ISA = qw/NginxWs::Config NginxWs::Process/;

# How much slower everything is under TEST_NGINX_WRAP.
our $slow = $NginxWs::Process::slow;

$WsSocket::slow = $slow;

sub top { $top }

sub binary { $ENV{TEST_NGINX_BINARY} // "$top/target/nginx/sbin/nginx" }

sub module {
	$ENV{TEST_NGINX_MODULE} // "$top/target/nginx/modules/libngx_ws.so"
}

###############################################################################

sub new {
	my ($class, %o) = @_;

	my $self = bless {
		dir => tempdir('ngx_ws_XXXXXX', TMPDIR => 1,
			CLEANUP => !$ENV{TEST_NGINX_LEAVE}),
		binary => $o{binary} // binary(),
		module => $o{module} // module(),
		ports => {},
	}, $class;

	# Workers of a test run by root are nobody.
	chmod 0755, $self->{dir};

	# A test that hangs fails, and takes its nginx with it.
	$SIG{ALRM} = sub { die "the test took too long\n" };
	$SIG{INT} = $SIG{TERM} = sub { exit 1 };
	alarm 150 * $slow;

	return $self;
}

sub dir { $_[0]{dir} }

###############################################################################
# Clients of %%PORT%%, unless options of WsClient say otherwise.

# A socket after its handshake.

sub ws {
	my ($self, $path, %o) = @_;
	my $s = WsClient->connect(port => $self->port, path => $path, %o);
	die "no WebSocket at $path:\n" . $s->head unless $s->status eq '101';
	return $s;
}

# The response to a request that is just bytes, or to an upgrade of a path.

sub http {
	my ($self, $request, %o) = @_;
	my $s = WsClient->new(port => $self->port, %o);
	$s->handshake($request =~ /\r\n/ ? (request => $request)
		: (path => $request), %o);
	return $s;
}

# Memory in kilobytes is within a limit; that of a wrapper is not ours.

sub uses {
	my ($self, $kilobytes, $limit, $name) = @_;

	SKIP: {
		skip 'memory under a wrapper', 1 if $ENV{TEST_NGINX_WRAP};
		cmp_ok($kilobytes, '<=', $limit, $name);
	}
}

# The socket is closed with this code and, when given, reason, and then ends
# without a reset while the client has said nothing more.

sub closes {
	my ($self, $s, $code, $name, $reason) = @_;

	my ($got, $text) = $s->read_close;
	my $end = defined $got ? $s->end : $s->end(0);
	my $seen = join ' ', $got // 'no close', $end,
		defined $reason ? $text // '' : ();

	is($seen, join(' ', $code, 'eof', $reason // ()), $name);
}

###############################################################################

# What a client in t/clients prints.  "venv/..." is that of target/clients.

sub client {
	my ($self, $program, $script, @arguments) = @_;

	my $clients = "$top/target/clients";
	$program = "$clients/$program" if $program =~ m!^venv/!;
	local $ENV{NODE_PATH} = "$clients/node_modules";

	open my $pipe, '-|', $program, "$top/t/clients/$script", @arguments
		or die "$program: $!\n";
	local $/;
	return <$pipe>;
}

# Allows one kind of alert or emerg in the error log.

sub expect {
	my ($self, $expected) = @_;
	$self->{expected} = $expected;
}

# Ends every test: stops nginx and looks for what it must never say.

sub finish {
	my ($self) = @_;

	ok($self->stop, 'nginx stops');
	alarm 0;

	my $errors = $self->error_log;
	my $output = $errors . $self->read_file('stderr.log');

	is($self->{status} // 0, 0, 'nginx exits with 0');
	is(join("\n", grep { !$self->{expected} || !/$self->{expected}/ }
			$errors =~ /^.*\[(?:alert|emerg)\].*$/mg), '', 'no alerts');
	is(join("\n", grep { /exited\ on\ signal|panicked\ at|Sanitizer
			|ERROR\ SUMMARY:\ [1-9]|definitely\ lost:\ [1-9]
			|==\d+==\ (?:Invalid|Conditional|Use\ of\ uninit)/x }
			split /\n/, $output), '', 'no crashes');

	if (!Test::More->builder->is_passing) {
		my @lines = split /\n/, $errors;
		splice @lines, 0, -20 if @lines > 20;
		diag(join "\n", 'the end of error.log:', @lines);
	}

	done_testing();
}

###############################################################################

1;

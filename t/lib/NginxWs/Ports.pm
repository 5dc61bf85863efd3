package NginxWs::Ports;

# Free TCP ports for tests that run at the same time.

use warnings;
use strict;

use IO::Socket::IP;
use IO::Socket::UNIX;

# Below the range the kernel takes the ports of clients from.
use constant FIRST => 20000;
use constant COUNT => 8000;

my %locks;

###############################################################################

# A port nobody listens on.  A socket in the abstract namespace of Linux keeps
# other tests off it between this probe and the bind of nginx; it ends with the
# process and leaves no file.

sub reserve {
	for my $try (0 .. COUNT - 1) {
		my $port = FIRST + ($$ * 37 + $try) % COUNT;
		next if $locks{$port};

		my $lock = IO::Socket::UNIX->new(Listen => 1,
			Local => "\0ngx_ws_test_port_$port") or next;
		my $probe = IO::Socket::IP->new(Listen => 1, ReuseAddr => 1,
			LocalHost => '127.0.0.1', LocalPort => $port) or next;
		close $probe;

		$locks{$port} = $lock;
		return $port;
	}

	die "no free port\n";
}

###############################################################################

1;

package Overlay;

# A view of this system in which packages may be installed: what is written
# there stays in memory, and is gone with the test.  Needs root and overlayfs.

use warnings;
use strict;

use POSIX qw/WNOHANG/;

###############################################################################

# $shared is a folder of both.  Nothing, and the reason in $@, when the system
# does not let us.

sub new {
	my ($class, $shared) = @_;
	my $at = "$shared/overlay";
	mkdir $at;

	my $script = <<'EOF';
exec 2> "$2/overlay.log"
set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay none \
    -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /dev "$1/root/dev"
mount -t proc none "$1/root/proc"
mkdir -p "$1/root$2"
mount --bind "$2" "$1/root$2"
# No package may touch a service of the real system.
printf '#!/bin/sh\nexit 101\n' > "$1/root/usr/sbin/policy-rc.d"
chmod +x "$1/root/usr/sbin/policy-rc.d"
echo mounted > "$2/overlay.ready"
exec cat > /dev/null
EOF

	# Ends when nobody holds the other end of the pipe.
	my $pid = open my $in, '|-', 'unshare', '--mount', 'sh', '-c', $script,
		'sh', $at, $shared or die "unshare: $!\n";

	until (-s "$shared/overlay.ready") {
		if (waitpid $pid, WNOHANG) {
			$@ = 'unshare failed';
			if (open my $log, '<', "$shared/overlay.log") {
				local $/;
				$@ = <$log>;
			}
			return;
		}
		select undef, undef, undef, 0.01;
	}

	return bless {in => $in, command => [
		'nsenter', "--mount=/proc/$pid/ns/mnt", 'chroot', "$at/root",
	]}, $class;
}

# What to put before a command to run it there.

sub command { @{$_[0]{command}} }

###############################################################################

1;

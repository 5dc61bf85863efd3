package Bystander;

# A client that has nothing to do with an attack, and wants to be served while
# it lasts: on a socket that was there before, and on new ones.

use warnings;
use strict;

use Test::More;
use Time::HiRes qw/time/;

use WsClient;

###############################################################################

# Options: path, message and answer (of a ws_rest location), seconds (its
# patience), more of WsClient.

sub new {
	my ($class, $t, %o) = @_;
	my $self = bless {
		t => $t, path => delete $o{path} // '/ws',
		message => delete $o{message} // 'me too', seconds => delete $o{seconds},
		asked => 0, wrong => [], longest => {old => 0, new => 0},
	}, $class;
	$self->{answer} = 'text:' . (delete $o{answer} // $self->{message});
	$self->{options} = \%o;
	$self->{old} = $self->connect;
	$self->ask;
	return $self;
}

sub connect {
	my ($self) = @_;
	local $WsSocket::patience = $self->{seconds} // $WsSocket::patience;
	return $self->{t}->ws($self->{path}, %{$self->{options}});
}

# Is to be called while the attack lasts.

sub ask {
	my ($self) = @_;
	$self->{asked}++;
	for my $which (qw/old new/) {
		my $start = time;
		my $s = $which eq 'old' ? $self->{old} : eval { $self->connect };
		my $answer = $s ? $s->text($self->{message})->message($self->{seconds})
			: $@;
		push @{$self->{wrong}}, "$which: $answer" if $answer ne $self->{answer};
		my $took = time - $start;
		$self->{longest}{$which} = $took if $took > $self->{longest}{$which};
	}
}

# Whether all was answered: each in the time that any test waits for nginx, as
# how long it takes is up to the machine.

sub served {
	my ($self, $name) = @_;
	$self->ask;
	note(sprintf 'others: served %d times, in at most %.0f ms on their socket, '
		. '%.0f ms on a new one', $self->{asked},
		map { 1000 * $self->{longest}{$_} } qw/old new/);
	is(join(', ', @{$self->{wrong}}), '', $name // 'others are served meanwhile');
}

###############################################################################

1;

#!/usr/bin/perl

# Tests for WebSocket: the page without a mouse.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use Page;
use Test::More;

###############################################################################

my $t = NginxWs->new;
Page::start($t);
Page::browse($t, 'page_keyboard.js');

$t->finish;

###############################################################################

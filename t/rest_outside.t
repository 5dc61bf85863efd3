#!/usr/bin/perl

# Tests for ws_rest: a path outside of the prefix, or one that nginx cannot
# parse, is answered by the gateway: nothing of the server's error_page runs.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use NginxWs;
use RestClient;
use Test::More;

###############################################################################

my $t = NginxWs->new;
RestClient::backend($t);

# Named, by a URI, by a URI that is within the prefix, and with a status.

my @pages = ('@app', '/app', '/api/app', '=200 @app', '=200 /app');

$t->run(join '', map { <<"EOF" } 0 .. $#pages);

server {
    listen 127.0.0.1:%%PORT_$_%%;

    error_page 400 404 $pages[$_];
    post_action /done;

    location = /ws       { ws_rest /api/; ws_route outside POST /secret; }
    location = /api/fine { return 200 fine; }
    location = /api/app  { proxy_pass http://127.0.0.1:%%PORT_backend%%; }
    location = /secret   { deny all; }
    location = /app      { proxy_pass http://127.0.0.1:%%PORT_backend%%; }
    location = /done {
        proxy_pass http://127.0.0.1:%%PORT_backend%%/done?body=&for=\$request_uri;
    }
    location \@app       { proxy_pass http://127.0.0.1:%%PORT_backend%%; }
}

EOF

###############################################################################

my $not_found = '"status":404,"error":"not_found",'
	. '"message":"no such path or action here"';
my $unparsed = '"status":400,"error":"bad_message",'
	. '"message":"invalid \"path\""';

for my $i (0 .. $#pages) {
	my $s = RestClient->open($t, '/ws', port => $t->port($i));
	my $refused = sub {
		my ($expected, @paths) = @_;
		for my $path (@paths) {
			for my $more ('', ',"method":"POST","body":{"a":1}',
				',"method":"DELETE"', ',"method":"HEAD"') {
				is($s->raw(qq/{"id":1,"path":"$path"$more}/),
					qq/{"id":1,$expected}/, "$pages[$i]: $path$more");
			}
		}
	};

	$refused->($not_found, '/secret', '/app', '/', '/apiary',
		'/api/%2e%2e/secret', '/api/../secret', '/api/..', '//api/../secret',
		'/api/x/../../secret?a=b', '/api%2f../secret');
	$refused->($unparsed, '/api/../../x', '/../x', '/api/%zz', '/api/%00',
		'/api/%0', '/api/%2e%2e/%2e%2e/x', '/%zz');
	is($s->get('/api/fine')->{body}, 'fine', "$pages[$i]: the socket stays");
}

# An action follows what is within the prefix only.

is(join(', ', grep { /^[A-Z]/ && !m!/done\?body=&for=/(?:ws|api/fine)$! }
	RestClient::seen($t)), '', 'the application has seen nothing');

# A call within the prefix has the error pages of its location.

my $reply = RestClient->open($t, '/ws', port => $t->port(2))
	->get('/api/nowhere');
is($reply->{body}{target} // 'no page', '/api/app',
	'within the prefix, an error_page is a response');

$t->finish;

###############################################################################

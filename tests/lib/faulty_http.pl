#!/usr/bin/perl
# A web server with faults: faulty_http.pl FILE PORT_FILE LOG
#
# Serves FILE under every path; the path says the fault. Writes its port to PORT_FILE and one line a
# request ("PATH RANGE") to LOG. One connection at a time, one request a connection.
use strict;
use warnings;
use IO::Socket::INET;

my ($file, $port_file, $log_file) = @ARGV;
$SIG{PIPE} = 'IGNORE';
open my $in, '<:raw', $file or die "$file: $!";
my $body = do { local $/; <$in> };
my $n_body = length $body;
my $server = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1', ReuseAddr => 1)
	or die "listen: $!";
open my $log, '>', $log_file or die "$log_file: $!";
$log->autoflush(1);
open my $port, '>', "$port_file.new" or die "$port_file: $!";
print $port $server->sockport;
close $port;
rename "$port_file.new", $port_file;

my %n_requests;    # by path, so that a fault can come once
my @silent;        # connections that are held open
my $last;          # byte that the request asks for

# What is sent behind the headers, cut to at most $n_bytes.
sub answer {
	my ($client, $status, $headers, $bytes, $n_bytes) = @_;
	$bytes = substr $bytes, 0, $n_bytes if defined $n_bytes;
	print $client "HTTP/1.1 $status\r\n", map({"$_\r\n"} @$headers), "Connection: close\r\n\r\n", $bytes;
}

# All of the file, or from $from to $last as a range; cut to $n_bytes, with $etag.
sub serve {
	my ($client, $from, $n_bytes, $etag) = @_;
	my $n_range = defined $from ? $last - $from + 1 : $n_body;
	my @headers = ("Accept-Ranges: bytes", "Content-Length: $n_range");
	push @headers, "ETag: \"$etag\"" if $etag;
	push @headers, "Content-Range: bytes $from-$last/$n_body" if defined $from;
	answer($client, defined $from ? '206 Partial Content' : '200 OK', \@headers,
		substr($body, $from // 0, $n_range), $n_bytes);
}

my %faults = (
	# breaks every connection after ARG bytes
	cut => sub { my ($c, $from, $arg) = @_; serve($c, $from, $arg, 'v1') },
	# breaks and names no version
	anonymous => sub { my ($c, $from, $arg) = @_; serve($c, $from, $arg) },
	# breaks once, then the file is another
	change => sub { my ($c, $from, $arg, $n) = @_; serve($c, $from, $n == 1 ? $arg : undef, "v$n") },
	# breaks once, then the file has become shorter
	shrink => sub {
		my ($c, $from, $arg, $n) = @_;
		return serve($c, $from, $arg, 'v1') if $n == 1;
		answer($c, '416 Range Not Satisfiable', ["Content-Length: 0"], '');
	},
	# breaks once, and knows no ranges
	rangeless => sub { my ($c, $from, $arg, $n) = @_; serve($c, undef, $n == 1 ? $arg : undef, 'v1') },
	# breaks once, then sends another range than asked for
	misplaced => sub {
		my ($c, $from, $arg, $n) = @_;
		serve($c, $n == 1 ? undef : $from + 1, $n == 1 ? $arg : undef, 'v1');
	},
	# overloaded ARG times
	busy => sub {
		my ($c, $from, $arg, $n) = @_;
		return serve($c, $from, undef, 'v1') if $n > $arg;
		answer($c, '503 Service Unavailable', ["Content-Length: 4"], 'busy');
	},
	# stops in the middle without closing, once
	stall => sub {
		my ($c, $from, $arg, $n) = @_;
		return serve($c, $from, undef, 'v1') if $n > 1;
		serve($c, $from, $arg, 'v1');
		$c->flush;
		push @silent, $c;
	},
	# never answers
	silent => sub { push @silent, $_[0] },
	# tells neither length nor end
	endless => sub { my ($c) = @_; answer($c, '200 OK', [], $body) },
	chunked => sub {
		my ($c) = @_;
		answer($c, '200 OK', ["Transfer-Encoding: chunked"], sprintf("%x\r\n%s\r\n0\r\n\r\n", $n_body, $body));
	},
	# chunks that end without the last one
	unchunked => sub {
		my ($c) = @_;
		answer($c, '200 OK', ["Transfer-Encoding: chunked"], sprintf("%x\r\n%s\r\n", $n_body, $body));
	},
	# to a scheme that is none of the web's
	away => sub { my ($c) = @_; answer($c, '302 Found', ["Location: file:///etc/passwd", "Content-Length: 0"], '') },
	# in circles
	circle => sub { my ($c) = @_; answer($c, '302 Found', ["Location: /circle", "Content-Length: 0"], '') },
	empty => sub { my ($c) = @_; answer($c, '200 OK', ["Content-Length: 0"], '') },
	teapot => sub { my ($c) = @_; answer($c, '204 No Content', [], '') },
	nonsense => sub { my ($c) = @_; print $c "220 this is no web server\r\n" },
);

while (my $client = $server->accept) {
	binmode $client;
	my ($path, $from) = ('', undef);
	$last = $n_body - 1;
	while (defined(my $line = <$client>)) {
		$path = $1 if $line =~ m{^GET /(\S*) };
		($from, $last) = ($1, length $2 ? $2 : $last) if $line =~ /^Range: bytes=(\d+)-(\d*)\r$/i;
		last if $line eq "\r\n";
	}
	print $log $path, ' ', $from // '-', "\n";
	my ($fault, $arg) = split m{/}, $path;
	my $serve = $faults{$fault // ''};
	$serve->($client, $from, $arg, ++$n_requests{$path}) if $serve;
}

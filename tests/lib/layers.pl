#!/usr/bin/perl
# What the architecture forbids: `layers.pl RULE ROOT` prints one line for each place of the tree at
# ROOT that breaks RULE, as "file:line: reason". Called by tests/check-layers.sh.
use strict;
use warnings;
use File::Find;

# Who may include whom: a folder, and the folders below it that it may use. A folder may always use
# itself. The longest folder that fits a file counts.
my %may_use = (
	'flash/base'  => [],
	'flash/trust' => ['flash/base'],
	'flash/image' => ['flash/base', 'flash/trust'],
	'flash/disk'  => ['flash/base'],
	'flash/usb'   => ['flash/base'],
	'flash/sink'  => ['flash/base', 'flash/image', 'flash/disk', 'flash/usb'],
	'flash/plan'  => [map { "flash/$_" } qw(base trust image disk usb sink)],
	'flash'       => [map { "flash/$_" } qw(base trust image disk usb sink plan)],
	'boards'      => ['flash/base'],
	'bootloader'  => ['flash/base', 'flash/trust', 'flash/disk', 'flash/plan', 'boards'],
	'provision'   => ['flash', 'boards', 'bootloader', map { "flash/$_" }
		qw(base trust image disk usb sink plan)],
);
# The programs of provision stand on all of the above, and cli, which starts them, on these.
$may_use{"provision/$_"} = ['provision', @{$may_use{provision}}]
	for qw(build netboot agent station);
$may_use{'provision/cli'} = ['provision', @{$may_use{provision}},
	map { "provision/$_" } qw(build netboot agent station)];

# Headers of outside libraries, and the one place that may include them.
my %outside = (
	'mbedtls/'     => qr{^flash/trust/},
	'psa/'         => qr{^flash/trust/},
	'jansson.h'    => qr{^flash/trust/manifest\.c$},
	'curl/'        => qr{^flash/image/source_http\.c$},
	'expat.h'      => qr{^flash/image/bmap\.c$},
	'isa-l/'       => qr{^flash/image/codec_gzip\.c$},
	'lzma.h'       => qr{^flash/image/codec_xz\.c$},
	'zstd.h'       => qr{^flash/image/codec_zstd\.c$},
	'zstd_errors.h' => qr{^flash/image/codec_zstd\.c$},
	'bzlib.h'      => qr{^flash/image/codec_bzip2\.c$},
	'lz4frame.h'   => qr{^flash/image/codec_lz4\.c$},
	'sanitizer/'   => qr{^flash/sink/fd_sink\.c$},
	'liburing.h'   => qr{^flash/sink/ioq\.c$},
	'xxhash.h'     => qr{^flash/image/fingerprint\.c$},
	'xxh_x86dispatch.h' => qr{^flash/image/fingerprint\.c$},
	'libfdisk/'    => qr{^flash/disk/table_fdisk\.c$},
	'archive.h'    => qr{^flash/disk/tree_archive\.c$},
	'archive_entry.h' => qr{^flash/disk/tree_archive\.c$},
	'blkid/'       => qr{^flash/disk/probe_blkid\.c$},
	'cyaml/'       => qr{^boards/profile_schema\.c$},
	'yaml.h'       => qr{^boards/yaml_lines\.c$},
);
# The C library and the kernel, which anyone may use.
my $system = qr{^(?:sys|linux|asm|net|netinet|arpa)/|^(?:assert|ctype|dirent|elf|endian|errno|fcntl|
	ftw|getopt|glob|grp|inttypes|limits|locale|math|poll|pthread|pwd|sched|semaphore|setjmp|
	signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|
	syslog|termios|threads|time|unistd|wchar|cpuid|immintrin|arm_neon)\.h$}x;

# What no code may call, and what only provision/cli may: it alone prints, ends the program and
# reads the environment. log.c is where log_debug() prints; helper.c ends a process of its own;
# spawn.c hands the environment on to programs, and looks for them in PATH.
my $never = qr/\b(?:sscanf|scanf|fscanf|atoi|atol|atoll|atof|strtok|strtok_r|system|popen|gets)\s*\(/;
my $cli_only = qr/\b(?:v?printf|v?fprintf|v?dprintf|puts|fputs|putchar|putc|fputc|perror|warnx?|errx?|
	exit|_exit|_Exit|quick_exit|abort|getenv|secure_getenv|setenv|unsetenv|putenv|isatty)\s*\(|
	\b(?:stdin|stdout|stderr|environ)\b/x;
my %may_call = map { $_ => 1 } qw(flash/base/log.c flash/base/spawn.c flash/sink/helper.c);

my ($rule, $root) = @ARGV;
chdir $root or die "$root: $!\n";

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return <$file> // '';
}

# The lines of a source file without comments and without what stands in quotes.
sub code_lines {
	my ($text) = @_;
	$text =~ s{(/\*.*?\*/)|(//[^\n]*)|("(?:\\.|[^"\\\n])*")|('(?:\\.|[^'\\\n])*')}{
		my $all = $&;
		my $newlines = $all =~ tr/\n//;
		defined $3 ? '""' : defined $4 ? "''" : "\n" x $newlines }gsex;
	return split /\n/, $text, -1;
}

sub files {
	my ($pattern) = @_;
	my @found;
	for my $top (grep { -d } qw(flash boards bootloader provision)) {
		find({no_chdir => 1, wanted => sub { push @found, $_ if -f && /$pattern/ }}, $top);
	}
	return sort @found;
}

sub folder_of {
	my ($path) = @_;
	my $best = '';
	for my $folder (keys %may_use) {
		$best = $folder if index($path, "$folder/") == 0 && length $folder > length $best;
	}
	return $best;
}

# Call what($file, $line, $kind, $name) for each #include; kind is " or <.
sub each_include {
	my ($what) = @_;
	for my $file (files(qr/\.[ch]$/)) {
		my $line = 0;
		for (split /\n/, slurp($file)) {
			$line++;
			$what->($file, $line, $1, $2) if /^\s*#\s*include\s*(["<])([^">]+)/;
		}
	}
}

# Call what($file, $line, $code) for each line of code.
sub each_line {
	my ($pattern, $what) = @_;
	for my $file (files($pattern)) {
		my $line = 0;
		$what->($file, ++$line, $_) for code_lines(slurp($file));
	}
}

my %rules = (
	downward => sub {
		each_include(sub {
			my ($file, $line, $kind, $name) = @_;
			my ($from, $to) = (folder_of($file), folder_of($name));
			return if $kind eq '<' || $from eq $to || grep { $_ eq $to } @{$may_use{$from}};
			print "$file:$line: $from may not use $name\n";
		});
	},
	paths => sub {
		each_include(sub {
			my ($file, $line, $kind, $name) = @_;
			return if $kind eq '<' || ($name =~ m{/} && -f $name);
			print "$file:$line: $name is not a path from the root\n";
		});
	},
	order => sub {
		my ($last, $n_before, $n_ours) = ('', 0, 0);
		each_include(sub {
			my ($file, $line, $kind, $name) = @_;
			my $own = $file =~ s/\.c$/.h/r;
			($last, $n_before, $n_ours) = ($file, 0, 0) if $last ne $file;
			return if $name !~ /\.h$/;
			if ($n_before++ == 0 && $own ne $file && -f $own && $name ne $own) {
				print "$file:$line: its own header $own comes first\n";
			} elsif ($kind eq '<' && $n_ours > 1) {
				print "$file:$line: <$name> comes before our headers\n";
			}
			$n_ours += $kind eq '"';
		});
	},
	outside => sub {
		each_include(sub {
			my ($file, $line, $kind, $name) = @_;
			return if $kind eq '"' || $name =~ $system;
			my ($known) = grep { m{/$} ? index($name, $_) == 0 : $name eq $_ } keys %outside;
			return if $known && $file =~ $outside{$known};
			print "$file:$line: <$name> has its place elsewhere (tests/lib/layers.pl)\n";
		});
	},
	calls => sub {
		each_line(qr/\.[ch]$/, sub {
			my ($file, $line, $code) = @_;
			my $is_cli = $file =~ m{^provision/cli/} || $may_call{$file};
			print "$file:$line: $&\n"
				if $code =~ $never || (!$is_cli && $code =~ $cli_only);
		});
	},
	comments => sub {
		for my $file (files(qr/\.[ch]$/)) {
			my $text = slurp($file);
			print "$file:1: does not start with a comment that says what it is\n"
				if $text !~ m{\A/\*};
			print "$file:1: #pragma once does not follow the comment\n"
				if $file =~ /\.h$/ && $text !~ m{\A/\*.*?\*/\n\#pragma\ once\n}s;
		}
	},
	plain => sub {
		each_line(qr/\.[ch]$/, sub {
			my ($file, $line, $code) = @_;
			print "$file:$line: goto\n" if $code =~ /\bgoto\b/;
			print "$file:$line: typedef of a struct\n" if $code =~ /\btypedef\s+struct\b/;
		});
	},
	chunk => sub {
		each_line(qr/\.[ch]$/, sub {
			my ($file, $line, $code) = @_;
			return if $file eq 'flash/image/verified.c';
			print "$file:$line: a struct chunk is made in flash/image/verified.c alone\n"
				if $code =~ /\bstruct\s+chunk\s*(?:\{|$)|\(\s*struct\s+chunk\s*\*\s*\)/;
		});
	},
	writes => sub {
		each_line(qr/\.c$/, sub {
			my ($file, $line, $code) = @_;
			# The executor does what a plan says, and what does not read back is written
			# again; the probe for counterfeit media puts back what it wrote.
			print "$file:$line: only execute.c, mend.c and capacity.c of flash/plan write to a sink\n"
				if $code =~ /\bsink_write\s*\(/ &&
				$file !~ m{^flash/(?:sink/|plan/(?:execute|mend|capacity)\.c$)};
			print "$file:$line: only flash/sink/sink.c calls what a kind of sink does\n"
				if $code =~ /\bops\s*->\s*write\b/ && $file ne 'flash/sink/sink.c';
		});
	},
	threads => sub {
		each_line(qr/\.c$/, sub {
			my ($file, $line, $code) = @_;
			print "$file:$line: threads are made in flash/base/pump.c and flash/copy.c alone\n"
				if ($code =~ /\b(?:pthread|thrd)_create\b/ &&
					$file ne 'flash/base/thread.c') ||
				($code =~ /\bthread_start\b/ &&
					$file !~ m{^flash/(?:base/pump|base/thread|copy)\.c$});
		});
	},
);
($rules{$rule} // die "no rule $rule\n")->();

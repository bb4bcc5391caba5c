#!/usr/bin/perl
# Boot a medium in QEMU and print the text on its screen, once it has what is waited for.
#   first_screen.pl bios|uefi MEDIUM WANTED_REGEXP SECONDS
# Exit status 0 when it came, 1 when the time was up. The medium is not written to.
#
# With a BIOS the screen is text mode, and its letters are in memory at 0xb8000. With UEFI it is
# pixels: they are compared with the letters of an 8x16 font in code page 437, which is looked for on
# the medium itself (memtest86+ brings its own).
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::UNIX;

use constant { COLUMNS => 80, ROWS => 25, GLYPH_WIDTH => 8, GLYPH_HEIGHT => 16 };
use constant VGA_TEXT => 0xb8000;    # VGA text mode, 16-bit cells: letter and colour
use constant FIRMWARE => '/usr/share/ovmf/OVMF.fd';
use constant FONT_SEARCH_BYTES => 64 << 20;
# The letter A, as every VGA font draws it; it is number 65.
use constant LETTER_A => pack 'H*', '000010386cc6c6fec6c6c6c600000000';

my ($firmware, $medium, $wanted, $limit_s) = @ARGV;
my $folder = tempdir('lkflash-screen.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $deadline = time + $limit_s;

sub slurp {
	my ($path, $n_bytes) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	read $file, my $bytes, $n_bytes // -s $path;
	return $bytes;
}

sub start_qemu {
	my @command = ('qemu-system-x86_64', '-accel', 'tcg', '-m', '256', '-nodefaults',
		'-vga', 'std', '-display', 'none',
		'-monitor', "unix:$folder/monitor,server=on,wait=off",
		'-drive', "file=$medium,format=raw,if=ide,snapshot=on",
		$firmware eq 'uefi' ? ('-bios', FIRMWARE) : ());
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	open STDOUT, '>', '/dev/null';
	exec @command or die "$command[0]: $!\n";
}

sub connect_monitor {
	while (time < $deadline) {
		my $socket = IO::Socket::UNIX->new(Peer => "$folder/monitor");
		return $socket if $socket;
		select undef, undef, undef, 0.1;
	}
	die "QEMU does not answer\n";
}

# Read until the monitor waits for a command.
sub await_prompt {
	my ($monitor) = @_;
	my $said = '';
	while ($said !~ /\(qemu\) $/) {
		sysread $monitor, $said, 4096, length $said or die "QEMU ended\n";
	}
}

sub command {
	my ($monitor, $command) = @_;
	syswrite $monitor, "$command\n";
	await_prompt($monitor);
}

# Of code page 437, which both screens use: letters as they are, the lines of boxes, else a space.
sub letter {
	my ($number) = @_;
	my %lines = (0xb3 => '|', 0xc4 => '-', 0xb4 => '+', 0xc1 => '+', 0xc2 => '+', 0xc3 => '+',
		0xc5 => '+');
	return $number > 0x20 && $number < 0x7f ? chr $number : $lines{$number} // ' ';
}

sub screen {
	my ($letter_at) = @_;
	return join '', map {
		my $row = $_;
		join('', map { letter($letter_at->($_, $row)) } 0 .. COLUMNS - 1) =~ s/ +$//r . "\n"
	} 0 .. ROWS - 1;
}

sub text_from_memory {
	my ($monitor) = @_;
	my $path = "$folder/text";
	command($monitor, sprintf 'pmemsave %#x %d "%s"', VGA_TEXT, COLUMNS * ROWS * 2, $path);
	my $cells = slurp($path);
	return screen(sub { my ($x, $y) = @_; ord substr $cells, 2 * ($y * COLUMNS + $x), 1 });
}

# Each letter's number, by its picture.
sub load_font {
	my $bytes = slurp($medium, FONT_SEARCH_BYTES);
	my $place = index $bytes, LETTER_A;
	my $start = $place - 65 * GLYPH_HEIGHT;
	return {} if $start < 0;
	return {map { substr($bytes, $start + $_ * GLYPH_HEIGHT, GLYPH_HEIGHT) => $_ } reverse 0 .. 255};
}

# A cell's picture: what is not in the colour of its first pixel.
sub picture {
	my ($pixels, $width, $x, $y) = @_;
	my $ground = substr $$pixels, 3 * ($y * $width + $x), 3;
	return join '', map {
		my $row = substr $$pixels, 3 * (($y + $_) * $width + $x), 3 * GLYPH_WIDTH;
		chr oct '0b' . join '', map { $_ eq $ground ? 0 : 1 } unpack '(a3)*', $row;
	} 0 .. GLYPH_HEIGHT - 1;
}

sub text_from_pixels {
	my ($monitor, $font) = @_;
	my $path = "$folder/screen.ppm";
	command($monitor, "screendump $path");
	my $ppm = slurp($path);
	my ($width, $height) = $ppm =~ /\AP6\s+(\d+)\s+(\d+)\s+255\s/ or return '';
	my $pixels = substr $ppm, $+[0];
	my $left = ($width - COLUMNS * GLYPH_WIDTH) / 2;
	my $top = ($height - ROWS * GLYPH_HEIGHT) / 2;
	return '' if $left < 0 || $top < 0;
	return screen(sub {
		my ($x, $y) = @_;
		$font->{picture(\$pixels, $width, $left + $x * GLYPH_WIDTH, $top + $y * GLYPH_HEIGHT)} // 0;
	});
}

my $font = $firmware eq 'uefi' ? load_font() : {};
my $pid = start_qemu();
$SIG{$_} = sub { exit 1 } for qw(INT TERM);
END {
	my $status = $?;
	kill 'KILL', $pid and waitpid $pid, 0 if $pid;
	$? = $status;
}
my $monitor = connect_monitor();
await_prompt($monitor);
my $text = '';
while (time < $deadline && $text !~ /$wanted/) {
	sleep 1;
	$text = $firmware eq 'uefi' ? text_from_pixels($monitor, $font) : text_from_memory($monitor);
}
print $text =~ s/\n+\z/\n/r;
exit($text =~ /$wanted/ ? 0 : 1);

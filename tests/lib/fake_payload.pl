#!/usr/bin/perl
# fake_payload.pl FOLDER [full] <BOARD.json: what an image for that board is made of, as `lkflash
# boards show --json` tells: a kernel, an initrd, a device tree and firmware that have the right
# beginnings and nothing else; with "full", firmware has as many bytes as the profile allows. The
# same for the same board, so that plans and images can be compared.
# GRUB's modules are not made up: grub-mkimage reads them, from where Debian installs them.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use JSON::PP qw(decode_json);

my ($folder, $size) = @ARGV;
my $is_full = ($size // '') eq 'full';
my $board = decode_json(join '', <STDIN>);
my $build = $board->{build} or die "$board->{id} is not built\n";

sub put {
	my ($path, $bytes) = @_;
	make_path(dirname("$folder/$path"));
	open my $file, '>:raw', "$folder/$path" or die "$folder/$path: $!\n";
	print $file $bytes;
	close $file or die "$folder/$path: $!\n";
}

# Bytes at an offset of text, which is made long enough.
sub place {
	my ($text, $at, $bytes) = @_;
	$text .= "\0" x ($at + length($bytes) - length $text) if length $text < $at + length $bytes;
	substr($text, $at, length $bytes) = $bytes;
	return $text;
}

# Headers: Linux, Documentation/x86/boot.rst (with the flag of a 64-bit kernel), arm/booting.rst,
# arm64/booting.rst, riscv/boot-image-header.rst; the PE header that UEFI asks for at 0x40.
sub kernel {
	my ($arch) = @_;
	my %machine = (x86_64 => 0x8664, arm64 => 0xaa64, riscv64 => 0x5064, arm => 0x01c2);
	my %mark = (arm => [0x24, pack 'V', 0x016f2818], arm64 => [0x38, "ARM\x64"],
		riscv64 => [0x38, "RSC\x05"], x86_64 => [0x202, 'HdrS' . pack 'v', 0x020f]);
	my $text = place("MZ", 0x3c, pack 'V', 0x40);
	$text = place($text, 0x40, "PE\0\0" . pack 'v', $machine{$arch});
	$text = place($text, @{$mark{$arch}});
	$text = place($text, 0x236, pack 'v', 1) if $arch eq 'x86_64';
	return place($text, 4095, "\0");
}

# What blobs, partitions and files of the boot partition ask of a firmware file.
my (%wanted, %maximum);
for my $user (@{$board->{blobs}}, @{$build->{partitions}}, @{$build->{boot_files} // []}) {
	next if !defined $user->{file};
	$maximum{$user->{file}} = $user->{maximum_bytes} // $user->{size_bytes};
	next if !defined $user->{magic};
	$wanted{$user->{file}} = [$user->{magic_at_bytes} // 0, pack 'H*', $user->{magic}];
}

put('kernel', kernel($board->{arch}));
put('initrd', "an initrd\n");
put('root/etc/hostname', "golden\n");
put("dtb/$build->{dtb}", "\xd0\x0d\xfe\xed a device tree\n") if defined $build->{dtb};
make_path("$folder/firmware");
for my $firmware (@{$board->{firmware}}) {
	my $file = $firmware->{file};
	next if ($firmware->{package} // '') =~ /^grub-/;
	my $text = "$file of $board->{id}\n";
	$text .= "#### LoaderInfo: systemd-boot 252 ####\n" if $file =~ /^systemd-boot/;
	$text = place($text, @{$wanted{$file}}) if $wanted{$file};
	$text = place($text, $maximum{$file} - 1, "\xff") if $is_full && $maximum{$file};
	put("firmware/$file", $text);
}

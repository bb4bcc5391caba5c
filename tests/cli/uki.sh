#!/bin/bash
# Unified kernel images by the eyes of others: binutils reads the sections that we put in, and
# sbsigntool signs and verifies the whole.
. "$(dirname "$0")/../lib/tap.sh"
requires mcopy objcopy objdump openssl sbsign sbverify

kernel=/boot/memtest86+x64.efi
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
for file in "$kernel" "$stub"; do
	[ -e "$file" ] || skip_all "$file is not there"
done

head -c 100001 /dev/urandom >"$TMP/initrd"
run "$LKFLASH" build --board x86-uefi --method uki --kernel "$kernel" --initrd "$TMP/initrd" \
	--cmdline "console=ttyS0 quiet" --out "$TMP/image.raw"
exits 0 "an image with a unified kernel image is built"
run mcopy -i "$TMP/image.raw@@1M" ::EFI/BOOT/BOOTX64.EFI "$TMP/uki.efi"
exits 0 "it is where firmware starts it"

# section NAME: its bytes into $TMP/NAME, as objcopy finds them.
section() { objcopy -O binary --only-section="$1" "$TMP/uki.efi" "$TMP/$1"; }

section .cmdline
like "$(tr -d '\0' <"$TMP/.cmdline")" '^console=ttyS0 quiet$' "objcopy finds the command line"
section .initrd
run cmp -n 100001 "$TMP/.initrd" "$TMP/initrd"
exits 0 "and the initrd"
section .linux
run cmp -n "$(stat -c %s "$kernel")" "$TMP/.linux" "$kernel"
exits 0 "and the kernel"

# ---- The same by objcopy -----------------------------------------------------------------------
# headers FILE: name, size in the file, place in memory and kind of each section.
headers() {
	objdump --section-headers "$1" | awk '/^ *[0-9]+ / {printf "%s %s %s ", $2, $3, $4}
		/CONTENTS/ {gsub(/ +/, " "); print}'
}
adds=()
for name in .osrel .cmdline .initrd .linux; do
	section "$name"
	place=$(objdump --section-headers "$TMP/uki.efi" | awk -v name="$name" '$2 == name {print $4}')
	adds+=(--add-section "$name=$TMP/$name" --change-section-vma "$name=0x$place")
done
objcopy "${adds[@]}" "$stub" "$TMP/theirs.efi" 2>"$TMP/objcopy.err"
is "$(headers "$TMP/uki.efi")" "$(headers "$TMP/theirs.efi")" \
	"objcopy makes the same sections of the same stub"

# ---- Secure Boot -------------------------------------------------------------------------------
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$TMP/key.pem" -out "$TMP/cert.pem" -subj /CN=test \
	-days 10 2>"$TMP/openssl.err"
run sbsign --key "$TMP/key.pem" --cert "$TMP/cert.pem" --output "$TMP/signed.efi" "$TMP/uki.efi"
exits 0 "sbsign signs it"
is "$err" "Signing Unsigned original image" "and warns of no gap between sections, nor of a checksum"
run sbverify --cert "$TMP/cert.pem" "$TMP/signed.efi"
exits 0 "sbverify accepts it"

# What is started is signed, the command line too.
at=$(grep -abo 'console=ttyS0 quiet' "$TMP/signed.efi" | cut -d : -f 1)
printf 'C' | dd of="$TMP/signed.efi" bs=1 seek="$at" conv=notrunc status=none
run sbverify --cert "$TMP/cert.pem" "$TMP/signed.efi"
exits 1 "and no longer when one byte of the command line is another"
finish

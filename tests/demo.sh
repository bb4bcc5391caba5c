#!/bin/bash
# lkflash at work: sign a bootable image, write it, refuse an altered one, boot what was written.
# Needs Debian's memtest86+, qemu-system-x86 and ovmf (`make demo` installs them); as root it writes
# to a loop device, else to a file.
set -eu
cd "$(dirname "$0")/.."
LKFLASH=${LKFLASH:-$PWD/build/lkflash}
ISO=/usr/lib/memtest86+/memtest86+x64.iso
BOOT_LIMIT_S=${BOOT_LIMIT_S:-180}
folder=$(mktemp -d "${TMPDIR:-/tmp}/lkflash-demo.XXXXXX")
device=
export LKFLASH_STATE_DIR=$folder/state

cleanup() {
	[ -z "$device" ] || losetup -d "$device" || true
	rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

step() { printf '\n==> %s\n' "$*"; }
fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}
# show COMMAND...: what is typed, and what it says.
show() {
	printf '$ lkflash %s\n' "${*//$folder\//}"
	(cd "$folder" && "$LKFLASH" "$@")
}

# The text on the screen of a machine with this firmware that starts from the target.
boot() { # bios|uefi
	local text
	text=$(tests/lib/first_screen.pl "$1" "$target" 'Memtest86\+ v[0-9]' "$BOOT_LIMIT_S") ||
		fail "Memtest86+ did not come up within $BOOT_LIMIT_S s; on the screen is: $text"
	printf '+%s+\n' "$(printf '%.0s-' {1..80})"
	while IFS= read -r line; do
		printf '|%-80s|\n' "$line"
	done <<<"$text"
	printf '+%s+\n' "$(printf '%.0s-' {1..80})"
}

[ -x "$LKFLASH" ] || fail "there is no $LKFLASH; run make first"
[ -r "$ISO" ] || fail "Debian's package memtest86+ is not installed"

step "A real image: memtest86+, which starts on machines with a BIOS and with UEFI."
cp "$ISO" "$folder/memtest.raw"
ls -l "$folder/memtest.raw"

step "A key of our own. The CA is what machines trust, the signer is what signs."
show keygen --out keys -q

step "Sign the image for two boards. It is not changed; memtest.raw.lkm appears beside it."
show sign --key keys/sign.key --cert keys/sign.pem --board x86-uefi --board x86-bios \
	--version 6.10 memtest.raw

truncate -s 16M "$folder/disk"
if device=$(losetup --find --show "$folder/disk" 2>/dev/null); then
	target=$device
	step "The target: loop device $device, a disk of 16 MiB."
else
	device=
	target=$folder/disk
	step "The target: a file of 16 MiB, as loop devices are not to be had here (run as root for one)."
fi

step "What would be done? Nothing is touched yet."
show plan --trust keys/ca.pem --board x86-uefi memtest.raw "$target"

step "Do it: each chunk is verified before it is written, and everything is read back."
show --trust keys/ca.pem --board x86-uefi --yes memtest.raw "$target"
cmp -n "$(stat -c %s "$ISO")" "$ISO" "$target" || fail "the target differs from the image"
echo "cmp finds no difference between the image and the target."

step "Now one byte of a copy of the image is flipped. Its signature stays as it was."
cp "$folder/memtest.raw" "$folder/altered.raw"
cp "$folder/memtest.raw.lkm" "$folder/altered.raw.lkm"
place=1500000
byte=$(od -An -tu1 -j "$place" -N 1 "$folder/altered.raw")
printf '%b' "\\x$(printf '%02x' $((byte ^ 1)))" |
	dd of="$folder/altered.raw" bs=1 seek="$place" conv=notrunc status=none
cmp "$folder/memtest.raw" "$folder/altered.raw" || true
truncate -s 16M "$folder/second-disk"
status=0
show --trust keys/ca.pem --board x86-uefi --yes altered.raw second-disk || status=$?
[ "$status" = 4 ] || fail "the altered image was not refused: exit status $status, not 4"
cmp -s -n 16777216 "$folder/second-disk" /dev/zero || fail "something was written"
echo "Exit status 4: not trusted. The second disk is as empty as before, so nothing can start from it."

step "Start a machine with a BIOS from the first disk (QEMU). On its screen:"
boot bios

step "Start a machine with UEFI from it; its firmware takes up to a minute here. On its screen:"
boot uefi

step "Signed, written, read back, refused when altered, and booted."

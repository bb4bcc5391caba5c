#!/bin/bash
# lkflash at work: build a bootable image, sign it, write it, refuse an altered one, boot what was
# written. Needs the Debian packages that `make demo` installs; as root it writes to a loop device,
# else to a file.
set -eu
cd "$(dirname "$0")/.."
LKFLASH=${LKFLASH:-$PWD/build/lkflash}
KERNEL=/boot/memtest86+x64.efi
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
[ -r "$KERNEL" ] || fail "Debian's package memtest86+ is not installed"

step "A key of our own. The CA is what machines trust, the signer is what signs."
show keygen --out keys -q

step "What starts a PC with UEFI or a BIOS, and memtest86+, a real program, in the place of a kernel:"
cp "$KERNEL" "$folder/kernel"
show plan build --board x86-hybrid --kernel kernel --no-data

step "Build it, and sign it in the same go: memtest.raw.lkm appears beside it."
show build --board x86-hybrid --kernel kernel --no-data --sign keys/sign.key,keys/sign.pem \
	--version 6.10 -o memtest.raw

truncate -s 128M "$folder/disk"
if device=$(losetup --find --show "$folder/disk" 2>/dev/null); then
	target=$device
	step "The target: loop device $device, a disk of 128 MiB."
else
	device=
	target=$folder/disk
	step "The target: a file of 128 MiB, as loop devices are not to be had here (run as root for one)."
fi

step "What would be done? Nothing is touched yet."
show plan --trust keys/ca.pem --board x86-hybrid memtest.raw "$target"

step "Do it: each chunk is verified before it is written, and everything is read back."
show --trust keys/ca.pem --board x86-hybrid --yes memtest.raw "$target"
show verify --trust keys/ca.pem --image memtest.raw "$target"

step "Now one byte of a copy of the image is flipped. Its signature stays as it was."
cp "$folder/memtest.raw" "$folder/altered.raw"
cp "$folder/memtest.raw.lkm" "$folder/altered.raw.lkm"
place=1500000
byte=$(od -An -tu1 -j "$place" -N 1 "$folder/altered.raw")
printf '%b' "\\x$(printf '%02x' $((byte ^ 1)))" |
	dd of="$folder/altered.raw" bs=1 seek="$place" conv=notrunc status=none
cmp "$folder/memtest.raw" "$folder/altered.raw" || true
truncate -s 128M "$folder/second-disk"
status=0
show --trust keys/ca.pem --board x86-hybrid --yes altered.raw second-disk || status=$?
[ "$status" = 4 ] || fail "the altered image was not refused: exit status $status, not 4"
cmp -s -n 134217728 "$folder/second-disk" /dev/zero || fail "something was written"
echo "Exit status 4: not trusted. The second disk is as empty as before, so nothing can start from it."

step "Start a machine with a BIOS from the first disk (QEMU). On its screen:"
boot bios

step "Start a machine with UEFI from it; its firmware takes up to a minute here. On its screen:"
boot uefi

step "Built, signed, written, read back, refused when altered, and booted."

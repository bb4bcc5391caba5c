#!/bin/bash
# Targets that must not be written: each is refused with its reason, and not one byte of it changes.
. "$(dirname "$0")/../lib/tap.sh"
requires losetup mkfs.ext4 mkswap swapon blkid mount perl
disk='' held='' above='' swap='' locked='' small='' opened='' exact='' twin='' other=''

make_keys
head -c 3145728 /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw"
WRITE=("$LKFLASH" write -q --trust "$TMP/keys/ca.pem" "$TMP/image.raw")

# refuses TARGET REASON NAME: exit 3, the reason on stderr, the target as it was.
refuses() {
	local before after
	before=$(sha256sum <"$1")
	run "${WRITE[@]}" "$1"
	after=$(sha256sum <"$1")
	exits 3 "$3 is refused"
	like "$err" "$2" "with the reason"
	is "$after" "$before" "and is as it was"
}

truncate -s 16M "$TMP/disk.img"
mkfs.ext4 -q "$TMP/disk.img"
loop_device disk "$TMP/disk.img"

mkdir "$TMP/mnt"
mount -o ro "$disk" "$TMP/mnt"
at_end "umount $TMP/mnt"
refuses "$disk" "$disk is in use: $disk is mounted on $TMP/mnt; unmount it first: umount $TMP/mnt" \
	"a mounted disk"
umount "$TMP/mnt"
run "${WRITE[@]}" "$disk"
exits 0 "once it is unmounted it is written"

truncate -s 16M "$TMP/swap.img"
loop_device swap "$TMP/swap.img"
mkswap -q "$swap"
swapon "$swap"
at_end "swapoff $swap"
run "${WRITE[@]}" "$swap"
exits 3 "a disk that is swapped to is refused"
like "$err" "$swap is swapped to; stop that first: swapoff $swap" "with the reason"
# The kernel may put pages there meanwhile.
is "$(blkid -p -s TYPE -o value "$swap")" swap "and is swap space as it was"
swapoff "$swap"

truncate -s 16M "$TMP/held.img"
loop_device held "$TMP/held.img"
loop_device above "$held" --offset 1048576
refuses "$held" "$held is held by ${above#/dev/}; detach it first: losetup -d $above" \
	"a disk under a loop device"
refuses "$TMP/held.img" "is held by ${held#/dev/}" "the file under that"
refuses "$above" "is a fixed disk, neither removable nor hot-pluggable; .*--allow-fixed-disk" \
	"a loop device on a disk"
run "${WRITE[@]}" --allow-fixed-disk --json "$above"
exits 0 "but --allow-fixed-disk takes it"
like "$out" '"event":"override".*--allow-fixed-disk' "and that is told"

truncate -s 16M "$TMP/opened.img"
loop_device opened "$TMP/opened.img"
: >"$TMP/holder"
# shellcheck disable=SC2016
perl -e 'use Fcntl; sysopen(my $f, $ARGV[0], O_RDWR | O_EXCL) or die; $| = 1; print "open\n"; sleep 600' \
	"$opened" >"$TMP/holder" &
holder=$!
at_end "kill $holder"
wait_for 60 grep -q open "$TMP/holder"
refuses "$opened" "$opened is in use by the system or another program" "a disk that a program holds"
kill "$holder"
wait "$holder" 2>/dev/null
run "${WRITE[@]}" "$opened"
exits 0 "once that ended it is written"

truncate -s 16M "$TMP/twin.img"
loop_device twin "$TMP/twin.img"
loop_device other "$TMP/twin.img"
refuses "$twin" "is held by ${other#/dev/}" "a loop device whose file another one has too"

truncate -s 16M "$TMP/locked.img"
loop_device locked "$TMP/locked.img" --read-only
refuses "$locked" "$locked is read-only; .*blockdev --setrw" "a read-only disk"

truncate -s $((3145728 - 512)) "$TMP/small.img"
loop_device small "$TMP/small.img"
refuses "$small" "too small: it has 3145216 bytes .* the image has 3145728" "a disk one sector too small"
truncate -s 3145728 "$TMP/exact.img"
loop_device exact "$TMP/exact.img"
run "${WRITE[@]}" "$exact"
exits 0 "a disk of just the image's size is written"
truncate -s 3145727 "$TMP/byte.img"
refuses "$TMP/byte.img" "too small: it has 3145727 bytes" "a file one byte too small"

exec 8>>"$TMP/byte.img"
truncate -s 4M "$TMP/byte.img"
flock 8
refuses "$TMP/byte.img" "is being written by another lkflash" "a file that another lkflash writes"
exec 8>&-

run "${WRITE[@]}" /dev/sdzzz
exits 3 "a device that is not there is refused"
[ ! -e /dev/sdzzz ]
ok $? "and does not become a file"

finish

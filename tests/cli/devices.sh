#!/bin/bash
# lkflash devices: what is shown of disks, and which are refused, on real loop devices.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
requires losetup mkfs.ext4 mkswap swapon sfdisk jq mount findmnt
disk='' part='' swap='' locked='' large=''

# device FIELDS: of the last `devices --json`, as one line.
device() { jq -c "$1" <<<"$out"; }

truncate -s 64M "$TMP/disk.img"
loop_device disk "$TMP/disk.img"

# ---- An idle disk
run "$LKFLASH" devices "$disk"
exits 0 "devices shows one device"
is "$out" "$disk: $TMP/disk.img, 64.0 MiB, loop
  on it: nothing that is known
  can be written" "with file, size, transport and content"

printf 'label: gpt\nstart=2048, size=40960\nstart=43008, size=40960\n' |
	sfdisk -q --no-reread --no-tell-kernel "$disk" 2>/dev/null
truncate -s 20M "$TMP/root.img"
mkfs.ext4 -q -L rootfs "$TMP/root.img"
dd if="$TMP/root.img" of="$disk" bs=1M seek=1 conv=notrunc,fsync status=none
run "$LKFLASH" devices "$disk"
like "$out" '^  on it: gpt, ext4 "rootfs"$' "what is on it is shown, partitions by offset"

run "$LKFLASH" devices --json "$disk"
exits 0 "devices --json shows one device"
is "$(device '[.event, .target, .kind, .size_bytes, .sector_bytes, .transport, .writable, .reason]')" \
	"[\"device\",\"$disk\",\"disk\",67108864,512,\"loop\",true,\"\"]" "as an object"
is "$(device '[.content[] | select(.type == "ext4") | [.label, .offset_bytes]]')" '[["rootfs",1049656]]' \
	"with every signature and where it is"

run "$LKFLASH" devices --json
exits 0 "devices lists all disks"
is "$(device "select(.target == \"$disk\") | .size_bytes")" 67108864 "the loop device is among them"

# ---- Disks in use. This kernel may have no partition nodes, so a partition is a loop device too.
loop_device part "$disk" --offset 1048576 --sizelimit 20971520
run "$LKFLASH" devices "$disk"
like "$out" "refused: $disk is in use: $disk is held by ${part#/dev/}; detach it first: losetup -d $part" \
	"a disk under a loop device is refused"
run "$LKFLASH" devices "$TMP/disk.img"
like "$out" "is held by ${disk#/dev/}; detach it first: losetup -d $disk" "so is the file under that"

mkdir "$TMP/mnt dir"
mount "$part" "$TMP/mnt dir"
at_end "umount '$TMP/mnt dir'"
run "$LKFLASH" devices "$disk"
like "$out" "refused: $disk is in use: $part is mounted on $TMP/mnt dir; unmount it first" \
	"a disk with a mounted partition is refused"
run "$LKFLASH" devices --json "$part"
is "$(device '[.hotplug, .writable]')" "[false,false]" "so is the partition"
umount "$TMP/mnt dir"

truncate -s 16M "$TMP/swap.img"
loop_device swap "$TMP/swap.img"
mkswap -q "$swap"
swapon "$swap"
at_end "swapoff $swap"
run "$LKFLASH" devices "$swap"
like "$out" "refused: $swap is in use: $swap is swapped to; stop that first: swapoff $swap" \
	"a disk that is swapped to is refused"

# ---- Disks that cannot be written
truncate -s 16M "$TMP/locked.img"
loop_device locked "$TMP/locked.img" --read-only
run "$LKFLASH" devices "$locked"
like "$out" "refused: $locked is read-only; " "a read-only disk is refused"

truncate -s 16M "$TMP/large.img"
loop_device large "$TMP/large.img" --sector-size 4096
run "$LKFLASH" devices --json "$large"
is "$(device '[.sector_bytes, .writable]')" "[4096,true]" "a disk with sectors of 4096 bytes is told"

system=$(findmnt -n -o SOURCE /)
if [ -b "$system" ]; then # not so in a container
	run "$LKFLASH" devices "$system"
	like "$out" "refused: $system holds the running system" "the disk of the running system is refused"
fi

# ---- Other paths
run "$LKFLASH" devices /dev/sdzzz
exits 0 "a missing device is looked at"
like "$out" "refused: there is no /dev/sdzzz; lkflash devices shows the disks" "and would not become a file"
run "$LKFLASH" devices "$TMP/new.img"
like "$out" "^$TMP/new.img: a new file" "a missing file would be made"
run "$LKFLASH" devices "$TMP"
like "$out" "refused: $TMP is a folder; name a disk or a file" "a folder is refused"
run "$LKFLASH" devices /dev/null
like "$out" "refused: /dev/null is neither a disk nor a regular file" "a character device is refused"

printf 'id\033[2Jx' >"$TMP/label"
truncate -s 16M "$TMP/evil.img"
mkswap -q -L "$(cat "$TMP/label")" "$TMP/evil.img"
run "$LKFLASH" devices "$TMP/evil.img"
like "$out" 'swap "id\?\[2Jx"' "a label cannot steer the terminal"

finish

#!/bin/bash
# What was on a target before must not be found afterwards: not the backup of its partition table, not
# what was in its partitions, not a RAID or LVM label that an old system would start.
. "$(dirname "$0")/../lib/tap.sh"
requires losetup sfdisk mkfs.ext4 mkswap pvcreate blkid wipefs
disk=''

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")
truncate -s 3M "$TMP/mbr.raw"
printf 'label: dos\nstart=2048, size=2048, type=c, bootable\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/mbr.raw" 2>/dev/null
truncate -s 3M "$TMP/gpt.raw"
printf 'label: gpt\nstart=2048, size=2048\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/gpt.raw" 2>/dev/null
head -c 1048576 /dev/urandom >"$TMP/content"
for image in mbr gpt; do
	dd if="$TMP/content" of="$TMP/$image.raw" bs=1M seek=1 conv=notrunc status=none
done
sign_image "$TMP/mbr.raw"
sign_image "$TMP/gpt.raw"

# le VALUE N_BYTES OFFSET FILE: a little-endian number.
le() {
	local i text=''
	for ((i = 0; i < $2; i++)); do text+=$(printf '\\x%02x' $((($1 >> (8 * i)) & 255))); done
	printf '%b' "$text" | dd of="$4" bs=1 seek="$3" conv=notrunc status=none
}

# put_raid FILE OFFSET SIZE: what is found of a RAID member, version 1.0, at the end of a range.
put_raid() {
	local at=$((($3 - 8192) & ~4095))
	le $((0xa92b4efc)) 4 $(($2 + at)) "$1"
	le 1 4 $(($2 + at + 4)) "$1"
	le $((at / 512)) 8 $(($2 + at + 144)) "$1"
}

# Start and size, in MiB, of the partitions of an old system in 64 MiB.
OLD=(1:20 21:20 41:10 51:12)

# make_part FILE RANGE COMMAND...: run a command on a partition of the old system.
make_part() {
	local part
	part=$(losetup --find --show --offset $((${2%:*} * 1048576)) \
		--sizelimit $((${2#*:} * 1048576)) "$1") || skip_all "loop devices are not to be had here"
	"${@:3}" "$part" >/dev/null 2>&1
	losetup -d "$part"
}

make_old() { # FILE
	local range
	truncate -s 64M "$1"
	for range in "${OLD[@]}"; do
		echo "start=$((${range%:*} * 2048)), size=$((${range#*:} * 2048))"
	done | sed '1i label: gpt' | sfdisk -q --no-reread --no-tell-kernel "$1" 2>/dev/null
	make_part "$1" "${OLD[0]}" mkfs.ext4 -q -L oldroot
	make_part "$1" "${OLD[1]}" env LVM_SYSTEM_DIR="$TMP" pvcreate -qq -ff -y --devicesfile ''
	make_part "$1" "${OLD[2]}" mkswap -q -L oldswap
	put_raid "$1" $((51 * 1048576)) $((12 * 1048576))
}

# found FILE: what libblkid finds on the disk and at its old partitions, as one line.
found() {
	local range
	{
		wipefs -n -i --noheadings -O TYPE "$1"
		for range in "${OLD[@]}"; do
			blkid -p -s TYPE -o value --offset $((${range%:*} * 1048576)) \
				--size $((${range#*:} * 1048576)) "$1"
		done
	} | xargs
}

make_old "$TMP/a.img"
OLD_FOUND="gpt gpt PMBR ext4 LVM2_member swap linux_raid_member"
is "$(found "$TMP/a.img")" "$OLD_FOUND" "the old system is found at first"
loop_device disk "$TMP/a.img"
run "$LKFLASH" plan "${TRUST[@]}" "$TMP/mbr.raw" "$disk"
exits 0 "plan shows what will be wiped"
like "$out" 'old ext4 oldroot' "an old file system"
like "$out" 'old LVM2_member' "an old LVM label"
like "$out" 'old swap oldswap' "an old swap area"
like "$out" 'old linux_raid_member' "an old RAID member"
is "$(found "$TMP/a.img")" "$OLD_FOUND" "and wipes nothing"

run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/mbr.raw" "$disk"
exits 0 "an image with an MBR is written over it"
is "$(found "$TMP/a.img")" "dos" "and nothing but the image is found"

make_old "$TMP/b.img"
loop_device disk "$TMP/b.img"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/gpt.raw" "$disk"
exits 0 "an image with a GPT is written over it"
is "$(found "$TMP/b.img")" "gpt gpt PMBR" "and nothing but the image is found"
is "$(sfdisk -d "$TMP/b.img" 2>&1 | grep -c start=)" 1 "its GPT has its own partition only"

make_old "$TMP/c.img"
dd if=/dev/urandom of="$TMP/c.img" bs=1M count=1 conv=notrunc status=none
loop_device disk "$TMP/c.img"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/mbr.raw" "$disk"
exits 0 "an image is written where only the backup GPT leads to the old partitions"
is "$(found "$TMP/c.img")" "dos" "and nothing but the image is found"

truncate -s 64M "$TMP/d.img"
put_raid "$TMP/d.img" 0 $((64 * 1048576))
is "$(found "$TMP/d.img")" "linux_raid_member" "a disk that was a RAID member is found as such"
loop_device disk "$TMP/d.img"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/mbr.raw" "$disk"
exits 0 "an image is written over it"
is "$(found "$TMP/d.img")" "dos" "and nothing but the image is found"

finish

#!/bin/bash
# A partition that may grow takes the rest of a larger target, and its file system can follow it.
. "$(dirname "$0")/../lib/tap.sh"
requires losetup sfdisk mkfs.ext4 e2fsck resize2fs dumpe2fs jq cmp systemd-repart
disk=''

MIB=1048576
DATA_AT=$((9 * MIB)) # where the partition with the file system starts

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")

# image NAME ATTRIBUTES [OPTIONS of sfdisk's script]: 32 MiB with a boot partition, and one of 16 MiB with
# an ext4, which has these attributes.
image() {
	truncate -s 32M "$TMP/$1.raw"
	printf 'label: gpt\n%ssize=8M, name=boot\nsize=16M, name=data%s\n' "${3:-}" "$2" |
		sfdisk -q --no-reread --no-tell-kernel "$TMP/$1.raw" 2>/dev/null
	mkfs.ext4 -q -E offset=$DATA_AT "$TMP/$1.raw" 16384k
	dd if=/dev/urandom of="$TMP/$1.raw" bs=1M seek=1 count=8 conv=notrunc status=none
	sign_image "$TMP/$1.raw"
}
image grow ', attrs="GUID:59"'
image stay ''
image short ', attrs="GUID:59"' $'table-length: 56\n'

# size FILE NUMBER: the sectors of that partition.
size() { sfdisk --json "$1" | jq ".partitiontable.partitions[$2 - 1].size"; }

# is_good FILE NAME: sfdisk finds nothing wrong.
is_good() { like "$(sfdisk --verify "$1" 2>&1)" "No errors detected" "$2"; }

# ---- A file
truncate -s 100M "$TMP/disk"
wanted=$((100 * MIB - 20480 - DATA_AT))
run "$LKFLASH" plan "${TRUST[@]}" "$TMP/grow.raw" "$TMP/disk"
like "$out" "move-gpt .*; partition 2 grows from 16.0 MiB to 91.0 MiB" "the plan tells what grows"
run "$LKFLASH" plan --json "${TRUST[@]}" "$TMP/grow.raw" "$TMP/disk"
is "$(jq -c 'select(.step == "move-gpt") | [.partition, .from_bytes, .to_bytes]' <<<"$out")" \
	"[2,$((16 * MIB)),$wanted]" "and tells programs in bytes"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/grow.raw" "$TMP/disk"
exits 0 "an image with a partition that grows is written to a larger file"
is_good "$TMP/disk" "its GPT is whole"
is $(($(size "$TMP/disk" 2) * 512)) "$wanted" "and its partition takes the rest"
is "$(size "$TMP/disk" 1)" 16384 "and the other one stays"
is "$(sfdisk --json "$TMP/disk" | jq -r '.partitiontable.partitions[1].attrs')" GUID:59 \
	"and the attribute stays, for who grows the file system"
cmp -s -n $((31 * MIB)) -i $MIB "$TMP/grow.raw" "$TMP/disk"
ok $? "and all that the image has behind its first MiB is there"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/grow.raw" "$TMP/disk"
exits 0 "and verify knows that it grew"
cp "$TMP/disk" "$TMP/written"
run "$LKFLASH" write --json --delta "${TRUST[@]}" "$TMP/grow.raw" "$TMP/disk"
exits 0 "what is there already is recognised"
is "$(jq 'select(.event == "done") | .written_bytes' "$TMP/out")" 0 "and nothing is written"
cmp -s "$TMP/written" "$TMP/disk"
ok $? "and nothing changes"

# What the machine would do itself while it starts: nothing is left of it.
mkdir "$TMP/repart.d"
printf '[Partition]\nType=linux-generic\nLabel=boot\n' >"$TMP/repart.d/1.conf"
printf '[Partition]\nType=linux-generic\nLabel=data\n' >"$TMP/repart.d/2.conf"
run systemd-repart --definitions="$TMP/repart.d" --dry-run=no --pretty=no "$TMP/disk"
exits 0 "systemd-repart takes the disk"
cmp -s "$TMP/written" "$TMP/disk"
ok $? "and finds nothing to grow"

# A table that was not grown is not what the image promises there.
printf 'size=16M\n' | sfdisk -q -N 2 --no-reread --no-tell-kernel "$TMP/disk" 2>/dev/null
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/grow.raw" "$TMP/disk"
exits 5 "a partition that did not grow differs"
run "$LKFLASH" write -q --delta "${TRUST[@]}" "$TMP/grow.raw" "$TMP/disk"
exits 0 "and is put right"
cmp -s "$TMP/written" "$TMP/disk"
ok $? "byte for byte"

# ---- A disk, and the file system
truncate -s 200M "$TMP/card"
loop_device disk "$TMP/card"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/grow.raw" "$disk"
exits 0 "the image is written to a larger disk"
is_good "$disk" "its GPT is whole"
wanted=$((200 * MIB - 20480 - DATA_AT))
is $(($(size "$disk" 2) * 512)) "$wanted" "and its partition takes the rest"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/grow.raw" "$disk"
exits 0 "and verify knows that it grew"
partition=''
loop_device partition "$TMP/card" --offset $DATA_AT --sizelimit "$wanted"
run e2fsck -f -n "$partition"
exits 0 "the file system in it is whole"
run resize2fs "$partition"
exits 0 "and can be grown"
is "$(dumpe2fs -h "$partition" 2>/dev/null | sed -n 's/^Block count: *//p')" $((wanted / 1024)) \
	"to all of the partition"
run e2fsck -f -n "$partition"
exits 0 "and is whole then"

# ---- What does not grow
truncate -s 200M "$TMP/other"
run "$LKFLASH" plan "${TRUST[@]}" "$TMP/stay.raw" "$TMP/other"
like "$out" "move-gpt .*backup partition table at the real end$" \
	"a partition without the attribute does not grow"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/stay.raw" "$TMP/other"
exits 0 "it is written"
is "$(size "$TMP/other" 2)" 32768 "and has the size that it had"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/grow.raw" "$TMP/same"
exits 0 "a target as large as the image is written"
cmp -s "$TMP/grow.raw" "$TMP/same"
ok $? "byte for byte, and nothing grows"
truncate -s 200M "$TMP/short"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/short.raw" "$TMP/short"
exits 0 "a GPT of 56 entries is written"
is_good "$TMP/short" "it is whole"
is $(($(size "$TMP/short" 2) * 512)) $((200 * MIB - 8192 - DATA_AT)) \
	"and the partition grows up to its shorter backup"

finish

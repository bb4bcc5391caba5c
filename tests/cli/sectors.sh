#!/bin/bash
# Disks with sectors of 4096 bytes: images made for them are written, others are refused, and the
# other way round.
. "$(dirname "$0")/../lib/tap.sh"
requires losetup sfdisk cmp
large='' small=''

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")

# A GPT of 8 MiB for sectors of a size, with 1 MiB of content in its partition.
make_image() { # FILE SECTOR_BYTES
	local loop
	truncate -s 8M "$1"
	loop=$(losetup --find --show --sector-size "$2" "$1") ||
		skip_all "loop devices are not to be had here"
	printf 'label: gpt\nstart=%d, size=%d, type=L, name=root\n' $((1048576 / $2)) $((4194304 / $2)) |
		sfdisk -q --no-reread --no-tell-kernel "$loop" 2>/dev/null
	losetup -d "$loop"
	head -c 1048576 /dev/urandom | dd of="$1" bs=1M seek=1 conv=notrunc status=none
	sign_image "$1" --sector "$2"
}
make_image "$TMP/4096.raw" 4096
make_image "$TMP/512.raw" 512

truncate -s 32M "$TMP/large.img"
loop_device large "$TMP/large.img" --sector-size 4096
run "$LKFLASH" write "${TRUST[@]}" "$TMP/4096.raw" "$large"
exits 0 "an image for 4096 is written to a larger disk with such sectors"
cmp -s -n $((6 * 1048576)) -i 1048576 "$TMP/4096.raw" "$TMP/large.img"
ok $? "with its content"
verdict=$(sfdisk --verify "$large" 2>&1)
like "$verdict" 'No errors detected' "and a whole GPT"
is "$(sfdisk -d "$large" | sed -n 's/^last-lba: //p')" $((8192 - 6)) \
	"whose backup is at the real end"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/4096.raw" "$large"
exits 0 "and it is verified"

# An image that ends in the middle of a sector: the rest of that is zeros.
head -c 3145733 /dev/urandom >"$TMP/odd.raw"
sign_image "$TMP/odd.raw" --sector 4096
run "$LKFLASH" write "${TRUST[@]}" "$TMP/odd.raw" "$large"
exits 0 "an image that is no multiple of a sector is written"
cmp -s <(cat "$TMP/odd.raw" <(head -c 4091 /dev/zero)) <(head -c 3149824 "$TMP/large.img")
ok $? "and its last sector is filled up with zeros"

before=$(sha256sum <"$TMP/large.img")
run "$LKFLASH" write "${TRUST[@]}" "$TMP/512.raw" "$large"
exits 3 "an image for 512 is refused on a disk with 4096"
like "$err" 'sectors of 512 bytes, but .* has 4096' "and both sizes are told"
is "$(sha256sum <"$TMP/large.img")" "$before" "and the disk is as it was"

truncate -s 32M "$TMP/small.img"
loop_device small "$TMP/small.img"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/4096.raw" "$small"
exits 3 "an image for 4096 is refused on a disk with 512"
like "$err" 'sectors of 4096 bytes, but .* has 512' "and both sizes are told"

run "$LKFLASH" write "${TRUST[@]}" "$TMP/odd.raw" "$small"
exits 3 "so is an image without a table, for its manifest says 4096"
like "$err" '--sector' "and the way out is named"

run "$LKFLASH" write "${TRUST[@]}" "$TMP/4096.raw" "$TMP/new.img"
exits 0 "a file takes an image for any sector size"

finish

#!/bin/bash
# Holes of an image on a disk that was used before: kept, zeroed or discarded, as asked for.
. "$(dirname "$0")/../lib/tap.sh"
requires losetup cmp
disk=''

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")
# Chunks of 1 MiB: content, a hole, zeros that were written, content.
truncate -s 4M "$TMP/image.raw"
head -c 1048576 /dev/urandom >"$TMP/content"
dd if="$TMP/content" of="$TMP/image.raw" bs=1M conv=notrunc status=none
dd if=/dev/zero of="$TMP/image.raw" bs=1M seek=2 count=1 conv=notrunc status=none
dd if="$TMP/content" of="$TMP/image.raw" bs=1M seek=3 conv=notrunc status=none
sign_image "$TMP/image.raw" --holes skip

truncate -s 8M "$TMP/disk.img"
loop_device disk "$TMP/disk.img"

# part N: what is in MiB N of the disk.
part() {
	local mib=$TMP/mib
	dd if="$disk" of="$mib" bs=1M skip="$1" count=1 iflag=direct status=none
	if cmp -s "$mib" "$TMP/content"; then
		echo content
	elif cmp -s "$mib" <(head -c 1048576 /dev/zero); then
		echo zeros
	elif cmp -s "$mib" <(head -c 1048576 /dev/zero | tr '\0' '\252'); then
		echo old
	else
		echo other
	fi
}

write_over_old() {
	head -c 8388608 /dev/zero | tr '\0' '\252' | dd of="$disk" bs=1M conv=fsync status=none
	run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/image.raw" "$disk" "$@"
}

write_over_old --unmapped keep
exits 0 "an image with holes is written, keeping what is in them"
is "$(part 0) $(part 1) $(part 2) $(part 3) $(part 4)" "content old zeros content old" \
	"zeros are zeros, the hole is as it was"

write_over_old --unmapped zero
exits 0 "an image with holes is written with zeros in them"
is "$(part 0) $(part 1) $(part 2) $(part 3) $(part 4)" "content zeros zeros content old" \
	"both read as zeros, and what is behind the image is as it was"

write_over_old --unmapped discard
exits 0 "an image with holes is written, discarding what is in them"
is "$(part 0) $(part 2) $(part 3) $(part 4)" "content zeros content old" "the rest is as it should be"
# A loop device discards by making a hole in its file.
is "$(part 1)" "zeros" "and the hole was discarded"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/image.raw" "$disk"
exits 0 "and verify does not ask for what is in a hole"

finish

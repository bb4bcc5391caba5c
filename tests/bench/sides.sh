# What is held against each other: what lkflash does, and what its rivals do. The files and devices
# are those of inputs.sh.
# shellcheck shell=bash

# lkflash_write IMAGE TARGET...: its peak memory goes to $TMP/peak, and what it tells to $TMP/events,
# each line with the time it was told.
lkflash_write() {
	/usr/bin/time -o "$TMP/peak" -f %M "$LKFLASH" write --json --trust "$TMP/keys/ca.pem" "$@" |
		stamp >"$TMP/events"
	return "${PIPESTATUS[0]}"
}

stamp() {
	local line
	grep --line-buffered '"event":"done"' | while read -r line; do
		echo "$EPOCHREALTIME $line"
	done
}

write_raw() { lkflash_write "$TMP/image.raw" "$DISK"; }
write_zst() { lkflash_write "$TMP/image.zst" "$DISK"; }
write_xz() { lkflash_write "$TMP/image.xz" "$DISK"; }
write_delta() { lkflash_write --delta "$TMP/image.raw" "$DISK"; }
write_one() { lkflash_write "$TMP/small.raw" "${LIMITED[0]}"; }
write_eight() { lkflash_write "$TMP/small.raw" "${LIMITED[@]}"; }
write_unequal() { lkflash_write "$TMP/small.raw" "${LIMITED[@]:0:N_TARGETS-1}" "$SLOW_DISK"; }

# dd_write BLOCK_MIB, dd_read [BLOCK_MIB]: the mapped bytes, past the page cache.
dd_write() {
	dd if="$TMP/image.raw" of="$DISK" bs="$1M" count=$((MAPPED_MIB / $1)) oflag=direct
}
dd_read() {
	dd if="$DISK" of=/dev/null bs="${1:-1}M" count=$((MAPPED_MIB / ${1:-1})) iflag=direct
}
dd_1m() { dd_write 1 && dd_read 1; }
dd_4m() { dd_write 4 && dd_read 4; }
bmaptool_copy() { bmaptool -q copy --bmap "$TMP/image.bmap" "$TMP/image.raw" "$DISK"; }

# dd_stdin: what comes is written, and not read back.
dd_stdin() { dd of="$DISK" bs=1M iflag=fullblock oflag=direct; }
zstd_dd() { zstd -q -dc "$TMP/image.zst" | dd_stdin; }
xz_dd() { xz -dc "$TMP/image.xz" | dd_stdin; }

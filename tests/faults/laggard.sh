#!/bin/bash
# A slow target beside a fast one: the fast one does not wait, for the slow one gets a reader of its own;
# but where the image can be read only once, or is not signed, it waits, and both are written.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/disks.sh"
requires losetup cmp jq
BAD_DISK_BYTES=67108864 # of disks.sh
IMAGE_BYTES=37748736
WINDOW_BYTES=16777216 # COPY_WINDOW_BYTES of flash/copy.h
CHUNK_BYTES=1048576
disk=''

make_keys
head -c "$IMAGE_BYTES" /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw"
# It writes nothing from there on before it is let go.
bad_disk disk slow --rate 4M --fault "write:hold:at=2M:size=512:until=$TMP/go"
truncate -s 64M "$TMP/fast"

# write_both OPTIONS...: the image to both, with events; $behind is how far the slow one was, in bytes of
# the image, when the fast one was done.
write_both() {
	run "$LKFLASH" write --json --trust "$TMP/keys/ca.pem" "$@" "$disk" "$TMP/fast"
	behind=$(jq -s --arg fast "$TMP/fast" 'map(select(.target != null)) |
		.[:map(.event == "done" and .target == $fast) | index(true)] |
		map(select(.target != $fast and .phase == "write" and .event == "progress") | .done_bytes) |
		max // 0' <<<"$out")
}

# shellcheck disable=SC2317 # by wait_for
is_fast_done() { grep -qF "\"event\":\"done\",\"target\":\"$TMP/fast\"" "$TMP/out" 2>/dev/null; }
# Let the slow one go when the fast one is done, or seems to wait for it.
let_go() {
	wait_for 60 is_fast_done
	: >"$TMP/go"
}

# both_hold_it WHAT
both_hold_it() {
	exits 0 "$1: a slow and a fast target are written"
	cmp -s -n "$IMAGE_BYTES" "$TMP/image.raw" "$TMP/fast"
	ok $? "$1: the fast one holds the image"
	blockdev --flushbufs "$disk"
	cmp -s -n "$IMAGE_BYTES" "$TMP/image.raw" "$disk"
	ok $? "$1: the slow one holds the image"
	is "$(jq -r 'select(.event == "memory") | .buffers_bytes <= .bound_bytes' <<<"$out")" true \
		"$1: the buffers stay within their bound"
}

let_go &
write_both "$TMP/image.raw"
wait $!
both_hold_it "a file"
[ "$behind" -lt $((IMAGE_BYTES - WINDOW_BYTES)) ]
ok $? "the fast one was done when the slow one had $behind bytes, further behind than the window"

truncate -s 0 "$TMP/fast"
truncate -s 64M "$TMP/fast"
mkfifo "$TMP/pipe"
cat "$TMP/image.raw" >"$TMP/pipe" &
write_both --manifest "$TMP/image.raw.lkm" "$TMP/pipe"
wait $!
both_hold_it "a pipe"
# It tells of a chunk after it has taken it.
[ "$behind" -ge $((IMAGE_BYTES - WINDOW_BYTES - CHUNK_BYTES)) ]
ok $? "the fast one waited for the slow one, which had $behind bytes when it was done"

finish

#!/bin/bash
# One bad target among four good ones, in each place of the five: the good ones are complete to the last
# bit, the exit status is 7, and the bad one is told, with its state.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/disks.sh"
requires losetup sfdisk cmp jq
disk=''

make_keys
bootable_image "$TMP/image.raw" 3145728
sign_image "$TMP/image.raw" --chunk-size 256K
GOOD=()
for i in 0 1 2 3; do
	truncate -s 16M "$TMP/good$i"
	loop_device disk "$TMP/good$i"
	GOOD+=("$disk")
done

# among_good NAME WORDS [STATE EMPTY_BYTES]: $disk, the content of which is in $TMP/NAME, among the good ones, at a place
# that is another one each time.
place=0
among_good() {
	local i n_bad=0
	for i in 0 1 2 3; do dd if=/dev/urandom of="${GOOD[i]}" bs=1M count=4 status=none; done
	run "$LKFLASH" write --json --trust "$TMP/keys/ca.pem" "$TMP/image.raw" \
		"${GOOD[@]:0:place}" "$disk" "${GOOD[@]:place}"
	exits 7 "$1 among four good ones, at place $place: some failed"
	for i in 0 1 2 3; do
		blockdev --flushbufs "${GOOD[i]}"
		cmp -s -n 3145728 "$TMP/image.raw" "${GOOD[i]}" || n_bad=$((n_bad + 1))
	done
	is "$n_bad" 0 "all good ones hold the image"
	is "$(jq -r 'select(.event == "failed") | .target' <<<"$out" | xargs)" "$disk" "it alone failed"
	like "$(jq -r 'select(.event == "failed") | .text' <<<"$out")" \
		"$2.*the target ${3:-is incomplete and will not boot}" "and is told with its state"
	cmp -s -n "${4:-4096}" "$TMP/$1" /dev/zero
	ok $? "which does not boot"
	place=$(((place + 1) % 5))
}

bad_disk disk write --fault write:fail:at=2M:size=512
among_good write "writing at byte [0-9]*: Input/output error"
bad_disk disk flush --fault flush:fail
among_good flush "flushing: Input/output error"
bad_disk disk read --fault read:fail:at=2500000:size=512
among_good read "reading at byte [0-9]*: Input/output error"
bad_disk disk forgets --fault write:drop:at=2M:size=4K
among_good forgets 'at byte 2097152'
bad_disk disk commit --fault write:fail:at=0:size=512:nth=2
among_good commit "committing" "holds the image, but its first chunk is in doubt" 512

finish

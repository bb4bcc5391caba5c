#!/bin/bash
# The power fails at any moment of a write, and any of the writes that were not flushed are lost: what
# is left does not boot, or is all of the image; and the same command finishes it.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/disks.sh"
requires losetup sfdisk mkfs.ext4 cmp
POWER_CUT=${BUILD:-$PWD/build/release}/tests/lib/power_cut
SIZE=16777216
disk='' again=''

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")

# image NAME LABEL: 3 MiB with a table, boot code, and something of everything else.
image() {
	truncate -s 3M "$TMP/$1.raw"
	dd if=/dev/urandom of="$TMP/$1.raw" bs=64K seek=12 count=24 conv=notrunc status=none
	dd if=/dev/urandom of="$TMP/$1.raw" bs=512 count=60 conv=notrunc status=none
	printf 'label: %s\nstart=2048, size=2048\n' "$2" |
		sfdisk -q --wipe never --no-reread --no-tell-kernel "$TMP/$1.raw" 2>/dev/null
	sign_image "$TMP/$1.raw" --chunk-size 64K
}
image mbr dos
image gpt gpt

# What was there before boots, and has its table at both ends.
truncate -s "$SIZE" "$TMP/old"
dd if=/dev/urandom of="$TMP/old" bs=512 count=1 conv=notrunc status=none
printf 'label: gpt\nstart=2048, size=8192, bootable\nstart=10240, size=8192\n' |
	sfdisk -q --wipe never --no-reread --no-tell-kernel "$TMP/old" 2>/dev/null
mkfs.ext4 -q -E offset=1048576 "$TMP/old" 4096k

# journal NAME IMAGE: $TMP/NAME.journal tells how the image came over what is in $TMP/NAME. Writes are
# held for a moment, flushes are not: one that does not wait for the writes before it overtakes them.
journal() {
	bad_disk disk "$1" --journal "$TMP/$1.journal" --fault write:hold:ms=2
	run "$LKFLASH" write -q "${TRUST[@]}" "${@:3}" "$2" "$disk"
}

# cut_power NAME IMAGE OPTIONS...
cut_power() {
	cp "$TMP/old" "$TMP/$1"
	journal "$1" "$TMP/$2.raw" "${@:3}"
	exits 0 "$1: a whole write"
	run "$POWER_CUT" check "$TMP/$1.journal" "$TMP/old" "$TMP/$1" 512
	exits 0 "$1: each cut leaves what does not boot, or is complete"
	diag "$1: $out media"
}

# again NAME IMAGE N LOSS OPTIONS...: the same after a cut, on $again, whose content is in $TMP/again.
again() {
	"$POWER_CUT" make "$TMP/$1.journal" "$TMP/old" "$3" "$4" "$TMP/cut"
	dd if="$TMP/cut" of="$TMP/again" bs=1M conv=notrunc status=none
	blockdev --flushbufs "$again"
	: >"$TMP/again.journal"
	: >"$TMP/again.journal.data"
	"$LKFLASH" write -q "${TRUST[@]}" "${@:5}" "$TMP/$2.raw" "$again" 2>"$TMP/err" </dev/null
}

# finish_cuts NAME IMAGE OPTIONS...: the same command finishes what a cut left, before and after each
# flush and amid the writes between two.
finish_cuts() {
	local flushed last=1 n_cuts=0 n_unfinished=0 at loss
	while read -r flushed; do
		for at in "$(((last + flushed) / 2)) odd" "$((flushed - 1)) none" "$((flushed - 1)) odd" \
			"$flushed all"; do
			read -r at loss <<<"$at"
			n_cuts=$((n_cuts + 1))
			again "$1" "$2" "$at" "$loss" "${@:3}" && cmp -s "$TMP/again" "$TMP/$1" && continue
			n_unfinished=$((n_unfinished + 1))
			diag "cut after $at lines, $loss of the unflushed: $(cat "$TMP/err")"
		done
		last=$flushed
	done < <(awk '/flush/ && last && last != "flush" {print NR} {last = $1}' "$TMP/$1.journal")
	[ "$n_cuts" -ge 12 ]
	ok $? "$1: it was cut $n_cuts times"
	is "$n_unfinished" 0 "$1: the same command finishes what is left"
}

bad_disk again again --journal "$TMP/again.journal"
cut_power mbr mbr
finish_cuts mbr mbr
cut_power gpt gpt
finish_cuts gpt gpt

finish

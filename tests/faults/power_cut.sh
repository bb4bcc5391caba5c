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

# image NAME LABEL [ATTRIBUTES]: 3 MiB with a table, boot code, and something of everything else.
image() {
	truncate -s 3M "$TMP/$1.raw"
	dd if=/dev/urandom of="$TMP/$1.raw" bs=64K seek=12 count=24 conv=notrunc status=none
	dd if=/dev/urandom of="$TMP/$1.raw" bs=512 count=60 conv=notrunc status=none
	printf 'label: %s\nstart=2048, size=2048%s\n' "$2" "${3:-}" |
		sfdisk -q --wipe never --no-reread --no-tell-kernel "$TMP/$1.raw" 2>/dev/null
	sign_image "$TMP/$1.raw" --chunk-size 64K
}
image mbr dos
image gpt gpt ', attrs="GUID:59"' # its partition grows

# What was there before boots, and has its table at both ends.
truncate -s "$SIZE" "$TMP/old"
dd if=/dev/urandom of="$TMP/old" bs=512 count=1 conv=notrunc status=none
printf 'label: gpt\nstart=2048, size=8192, bootable\nstart=10240, size=8192\n' |
	sfdisk -q --wipe never --no-reread --no-tell-kernel "$TMP/old" 2>/dev/null
mkfs.ext4 -q -E offset=1048576 "$TMP/old" 4096k

# cut_power IMAGE BEFORE OPTIONS...: the image comes over what is in BEFORE, onto what is in $TMP/IMAGE.
# $TMP/IMAGE.journal tells how. Writes are held for a moment, flushes are not: one that does not wait
# for the writes before it overtakes them.
cut_power() {
	cp "$2" "$TMP/$1"
	bad_disk disk "$1" --journal "$TMP/$1.journal" --fault write:hold:ms=2
	run "$LKFLASH" write -q "${TRUST[@]}" "${@:3}" "$TMP/$1.raw" "$disk"
	exits 0 "$1: a whole write"
	run "$POWER_CUT" check "$TMP/$1.journal" "$2" "$TMP/$1" 512
	exits 0 "$1: each of $out cuts leaves what does not boot, or is complete"
}

# again IMAGE N LOSS [--delta]: the same after a cut, on $again, the content of which is in $TMP/again.
# With --delta nothing is written behind the first chunk that was there already.
again() {
	"$POWER_CUT" make "$TMP/$1.journal" "$TMP/old" "$2" "$3" "$TMP/cut"
	dd if="$TMP/cut" of="$TMP/again" bs=1M conv=notrunc status=none
	blockdev --flushbufs "$again"
	: >"$TMP/again.journal"
	: >"$TMP/again.journal.data"
	run "$LKFLASH" write -q "${TRUST[@]}" ${4:+"$4"} "$TMP/$1.raw" "$again"
	[ "$status" = 0 ] || { diag "$err" && return 1; }
	cmp "$TMP/again" "$TMP/$1" >&2 || return
	[ -z "${4:-}" ] || is_written_once
}
bytes_repeated() { "$POWER_CUT" repeats "$TMP/again.journal" "$TMP/cut" 65536; }
is_written_once() {
	local n_bytes
	n_bytes=$(bytes_repeated)
	[ "$n_bytes" = 0 ] || { diag "$n_bytes bytes are written that were there" && return 1; }
}

# finish_cuts IMAGE [--delta]: the same command finishes what a cut left, before and after each flush
# and amid the writes between two.
finish_cuts() {
	local flushed last=1 n_cuts=0 n_unfinished=0 cut
	while read -r flushed; do
		for cut in "$(((last + flushed) / 2)) odd" "$((flushed - 1)) none" \
			"$((flushed - 1)) odd" "$flushed all"; do
			n_cuts=$((n_cuts + 1))
			# shellcheck disable=SC2086 # words on purpose
			again "$1" $cut ${2:+"$2"} && continue
			n_unfinished=$((n_unfinished + 1))
			diag "that was a cut after this many lines, with these of what was not flushed: $cut"
		done
		last=$flushed
	done < <(awk '/flush/ && last && last != "flush" {print NR} {last = $1}' "$TMP/$1.journal")
	[ "$n_cuts" -ge 12 ]
	ok $? "$1: it was cut $n_cuts times"
	is "$n_unfinished" 0 "$1: the same command${2:+ with $2} finishes what is left"
}

bad_disk again again --journal "$TMP/again.journal"
for image in mbr gpt; do
	cut_power "$image" "$TMP/old"
	finish_cuts "$image"
	[ "$(bytes_repeated)" -gt 0 ]
	ok $? "$image: without --delta, what was there is written again"
	finish_cuts "$image" --delta
done

# An update: what was there before differs in three chunks only.
cp "$TMP/mbr.raw" "$TMP/update.raw"
cp "$TMP/mbr.raw.lkm" "$TMP/update.raw.lkm"
cp "$TMP/mbr" "$TMP/older"
for at in 14 15 30; do
	dd if=/dev/urandom of="$TMP/older" bs=64K seek="$at" count=1 conv=notrunc status=none
done
cut_power update "$TMP/older" --delta

finish

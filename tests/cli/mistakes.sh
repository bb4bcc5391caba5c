#!/bin/bash
# Command lines that go wrong easily: what must not get lost, and must not get onto a target.
. "$(dirname "$0")/../lib/tap.sh"
requires cmp openssl losetup

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")
head -c 3145728 /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw"

# ---- Closed descriptors
for closed in '>&-' '2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
	for option in '' --json; do
		rm -f "$TMP/new.img"
		run bash -c "\"\$@\" $option $closed" bash "$LKFLASH" write "${TRUST[@]}" \
			"$TMP/image.raw" "$TMP/new.img"
		cmp -s "$TMP/image.raw" "$TMP/new.img"
		ok $? "with $closed no message gets into the target${option:+, with $option}"
	done
done
run bash -c '"$0" --version >&-' "$LKFLASH"
exits 1 "output that nobody can get is a failure"

finish

#!/bin/bash
# Images of odd and of large sizes, all zeros and all holes; the large ones are sparse.
. "$(dirname "$0")/../lib/tap.sh"
requires cmp truncate

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")

# write_size NAME: sign $TMP/NAME, write it to a new file, and compare.
write_size() {
	sign_image "$TMP/$1" "${@:2}"
	run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/$1" "$TMP/$1.out"
	exits 0 "$1 is written"
	cmp -s "$TMP/$1" "$TMP/$1.out"
	ok $? "$1 arrives byte for byte"
}

printf 'x' >"$TMP/one-byte"
head -c 1048575 /dev/urandom >"$TMP/chunk-less-one"
head -c 1048576 /dev/urandom >"$TMP/one-chunk"
head -c 1048577 /dev/urandom >"$TMP/chunk-and-one"
head -c 3000000 /dev/zero >"$TMP/all-zero"
for image in one-byte chunk-less-one one-chunk chunk-and-one all-zero; do
	write_size "$image"
	rm -f "$TMP/$image.out"
done

truncate -s 3000000 "$TMP/all-holes"
write_size all-holes --holes skip
head -c 4000000 /dev/zero | tr '\0' '\356' >"$TMP/used"
run "$LKFLASH" write -q --unmapped zero "${TRUST[@]}" "$TMP/all-holes" "$TMP/used"
exits 0 "an image of holes is zeroed onto a used target when asked"
cmp -s -n 3000000 "$TMP/used" /dev/zero
ok $? "and all of it is zero"

# ulimit counts in KiB.
run bash -c 'ulimit -f 1000; exec "$@"' limited "$LKFLASH" write -q "${TRUST[@]}" "$TMP/chunk-and-one" "$TMP/used"
exits 1 "a limit on the size of files is an error, not a signal"
like "$err" "^lkflash: .*$TMP/used.*File too large" "with words"

# Beyond the 2 GiB of a signed int, and beyond the 4 GiB of an unsigned one.
for gib in 3 5; do
	name=sparse-$gib-gib
	printf 'start' >"$TMP/$name"
	truncate -s "${gib}G" "$TMP/$name"
	printf 'end' | dd of="$TMP/$name" bs=1 seek=$((gib * 1073741824 - 3)) conv=notrunc status=none
	sign_image "$TMP/$name"
	run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/$name" "$TMP/$name.out"
	exits 0 "$name is written"
	is "$(stat -c %s "$TMP/$name.out")" $((gib * 1073741824)) "$name has its size"
	is "$(tail -c 4 "$TMP/$name.out" | tr '\0' 0)" 0end "$name has its last bytes"
	is "$(head -c 6 "$TMP/$name.out" | tr '\0' 0)" start0 "$name has its first bytes"
	printf 'X' | dd of="$TMP/$name.out" bs=1 seek=$((gib * 1073741824 - 5)) conv=notrunc status=none
	run "$LKFLASH" verify -q "${TRUST[@]}" --image "$TMP/$name" "$TMP/$name.out"
	exits 5 "a byte changed near the end of $name is found"
	rm -f "$TMP/$name" "$TMP/$name.out"
done

finish

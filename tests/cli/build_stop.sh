#!/bin/bash
# Whoever asks build to stop is heard while it reads what is endless in practice, and nothing is left.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
. tests/lib/build.sh
requires jq perl tar truncate timeout

build_options x86-uefi
mkdir "$TMP/large" "$TMP/made" "$TMP/temporary"
options=("${options[@]/%image.raw/made/image.raw}")
LKFLASH=$(realpath "$LKFLASH")

# stops NAME OPTION...: it ends by the signal that it gets after a second, not by the kill behind it.
stops() {
	TMPDIR=$TMP/temporary timeout --preserve-status -k 15 1 "$LKFLASH" build -q "${options[@]}" \
		"${@:2}" >"$TMP/said" 2>&1
	is "$?" 143 "$1: it stops"
	like "$(cat "$TMP/said")" "stopped by a signal" "$1: it says so"
	is "$(find "$TMP/made" "$TMP/temporary" -mindepth 1)" "" "$1: nothing is left"
}

truncate -s 4T "$TMP/large/file"
tar -S -C "$TMP/large" -cf "$TMP/large.tar" .
truncate -s 4T "$TMP/image"
printf '\123\357' | dd of="$TMP/image" bs=1 seek=1080 conv=notrunc status=none

stops "a folder with a large file" --rootfs "$TMP/large"
stops "a tar with a large file" --rootfs "$TMP/large.tar"
stops "a large image" --rootfs "$TMP/image"
stops "a large file for the boot partition" --boot-file "$TMP/large/file:file"

run "$LKFLASH" build -q "${options[@]}" --initrd "$TMP/large/file"
exits 2 "a large initrd is refused"
like "$err" "has 4398046511104 bytes" \
	"it says why"

finish

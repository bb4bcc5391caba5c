#!/bin/bash
# An image of a root file system that is cut short is seen by what its head says of its length.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
. tests/lib/build.sh
requires jq perl mke2fs mksquashfs

build_options x86-uefi

# cut_short NAME FILE: it is taken as it is, and refused without its last half.
cut_short() {
	local half=$(($(stat -c %s "$2") / 1024))
	run "$LKFLASH" build -q "${options[@]}" --rootfs "$2"
	exits 0 "$1: it is taken"
	truncate -s "$((half * 512))" "$2"
	run "$LKFLASH" build -q "${options[@]}" --rootfs "$2"
	exits 2 "$1: it is refused when cut short"
	like "$err" "it is cut short: copy it again" "$1: it says so"
}

mke2fs -q -F "$TMP/ext4" 20M >"$TMP/log" 2>&1
mkdir "$TMP/root"
head -c 1M /dev/urandom >"$TMP/root/file"
mksquashfs "$TMP/root" "$TMP/squashfs" -quiet -no-progress >"$TMP/log" 2>&1
cut_short ext4 "$TMP/ext4"
cut_short squashfs "$TMP/squashfs"

finish

#!/bin/bash
# What the programs that make file systems take for something else is only a name: an image is the same
# wherever it is put, and whatever the folder for temporary files is called.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
. tests/lib/build.sh
requires jq perl mkfs.fat mcopy mke2fs debugfs

build_options x86-uefi
unset "options[-1]"
unset "options[-1]" # --out and its value
options+=(--rootfs "$TMP/x86-uefi/root" --no-data)
LKFLASH=$(realpath "$LKFLASH")
mkdir "$TMP/made"

run "$LKFLASH" build -q "${options[@]}" -o "$TMP/image.raw"
exits 0 "an image is built"

# same NAME FILE [VARIABLE=VALUE]: it is the same image in a file of that name.
same() {
	(cd "$TMP/made" && env "${@:3}" "$LKFLASH" build -q "${options[@]}" "--out=$2") >"$TMP/said" 2>&1
	is "$? $(cat "$TMP/said")" "0 " "$1: it is built"
	is "$(cmp "$TMP/image.raw" "$TMP/made/$2" 2>&1)" "" "$1: it is the same"
	rm -f "$TMP/made/$2"
}

same "an offset of mtools" "a@@512"
same "an offset of mtools that is none" "a@@1M.raw"
same "options of e2fsprogs" "a?offset=512"
same "a leading dash" "-a.raw"
same "commas, quotes, spaces" "a,b 'c' \"d\".raw"
same "a newline" $'a\nb.raw'
same "bytes that are no UTF-8" $'a\xff.raw'
mkdir "$TMP/t@@1K, 'x' \"y\""
same "a folder for temporary files with all of that" "a.raw" "TMPDIR=$TMP/t@@1K, 'x' \"y\""
mkdir "$TMP/made/-t"
same "a folder for temporary files that is relative and has a dash" "a.raw" "TMPDIR=-t"

finish

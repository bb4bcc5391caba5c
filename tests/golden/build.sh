#!/bin/bash
# The plan of each board's image against golden text, and the image against the plan: it is made for
# the smallest medium, and not for one that is a sector smaller; it holds what the board's firmware
# looks for. `make golden BOARD=x` writes the text anew (BOARDS of the environment names the boards).
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
. tests/lib/build.sh
requires jq perl sfdisk mkfs.fat mcopy mke2fs grub-mkimage

GOLDEN=tests/golden/build
BOARDS=${BOARDS:-}

# plans BOARD: with a root file system, and two systems that each live in an initrd. How large GRUB's
# core becomes is up to the version of grub-mkimage.
plans() {
	local options
	build_options "$1"
	echo "# a root file system"
	"$LKFLASH" plan build "${options[@]}" --rootfs "$TMP/$1/root" 2>&1
	echo
	echo "# two slots"
	"$LKFLASH" plan build "${options[@]}" --initrd "$TMP/$1/initrd" --slots 2 2>&1
}
masked() { sed -E 's/[0-9]+ bytes: GRUB core/SIZE bytes: GRUB core/'; }

check_image() { # BOARD
	local options smallest
	build_options "$1"
	options+=(--rootfs "$TMP/$1/root")
	smallest=$(sed -n 's/^medium .* at least \([0-9]*\)$/\1/p' "$TMP/plans" | head -1)
	run "$LKFLASH" build "${options[@]}" --size $((smallest - 512))
	exits 2 "$1: one sector less is refused"
	like "$err" "must have $smallest;" "$1: and what it takes is told"
	run "$LKFLASH" build -q "${options[@]}" --size "$smallest"
	exits 0 "$1: an image for the smallest medium is made"
	is "$(stat -c %s "$TMP/image.raw")" "$smallest" "$1: of its size"
	is "$(sfdisk -V -q "$TMP/image.raw" 2>&1)" "" "$1: sfdisk finds no fault in it"
	run "$LKFLASH" plan --allow-unsigned --board "$1" --boards-dir "$TMP/none" "$TMP/image.raw" "$TMP/disk.img"
	exits 0 "$1: what its firmware looks for is in it"
	rm -rf "$TMP/image.raw" "${TMP:?}/$1"
}

for board in $BOARDS; do
	built_boards | grep -qxF -- "$board" || {
		echo "there is no board $board that is built; say make golden BOARD=ID" >&2
		exit 1
	}
done
for board in ${BOARDS:-$(built_boards)}; do
	plans "$board" | masked >"$TMP/plans"
	[ -z "${UPDATE:-}" ] || cp "$TMP/plans" "$GOLDEN/$board.txt"
	is "$(diff "$GOLDEN/$board.txt" "$TMP/plans" 2>&1)" "" "$board: its plan is the golden one"
	check_image "$board"
done
[ -n "$BOARDS" ] || is "$(cd $GOLDEN && printf '%s\n' *.txt | LC_ALL=C sort)" \
	"$(built_boards | sed 's/$/.txt/' | LC_ALL=C sort)" "there is no text of a board that is gone"

finish

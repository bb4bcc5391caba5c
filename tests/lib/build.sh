# Boards that images are built for, and made-up payloads for them: source it behind tap.sh.
# shellcheck shell=bash

mkdir "$TMP/none"

# built_boards: the ids of those that build makes images for.
built_boards() { "$LKFLASH" boards --boards-dir "$TMP/none" --json | jq -r 'select(.build).id'; }

# build_options BOARD [full]: into the array `options`, those that give build all that it can need,
# apart from slots and a root file system, which is in $TMP/BOARD/root. With "full" firmware has as
# many bytes as the profile allows.
build_options() {
	local folder=$TMP/$1
	[ -d "$folder" ] || "$LKFLASH" boards show "$1" --json --boards-dir "$TMP/none" |
		perl tests/lib/fake_payload.pl "$folder" "${@:2}"
	options=(--board "$1" --boards-dir "$TMP/none" --firmware "$folder/firmware" --kernel "$folder/kernel"
		--cmdline quiet --seed golden --out "$TMP/image.raw")
	[ ! -d "$folder/dtb" ] || options+=(--dtb "$folder/dtb")
}

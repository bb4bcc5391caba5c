#!/bin/bash
# guest_firmware.sh FOLDER BOARD...: fetch the firmware of each board into this cache of lkflash, once.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mkdir -p "$1" && cd "$1" && pwd)
shift
N_TRIES=4
PAUSE_S=15

# again COMMAND...: until it succeeds; a mirror that is being updated gives files that do not match.
again() {
	local n
	for ((n = 1; n < N_TRIES; n++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep "$PAUSE_S"
	done
	"$@"
}

export LKFLASH_CACHE_DIR=$folder
for board; do
	[ ! "$folder/$board.fetched" -nt "boards/data/$board.yaml" ] || continue
	echo "fetching the firmware of $board"
	again "$LKFLASH" firmware --quiet ${DEBIAN_MIRROR:+--mirror "$DEBIAN_MIRROR"} "$board"
	touch "$folder/$board.fetched"
done

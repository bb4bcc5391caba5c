#!/bin/bash
# What profiles claim of machines, against the tests that start them.
# shellcheck source-path=SCRIPTDIR/..
. tests/lib/tap.sh
requires jq diff

# Nothing of this machine's boards.
profiles() { "$LKFLASH" boards --boards-dir "$TMP" --json; }
claimed() { profiles | jq -r 'select(.tested == "qemu").id' | sort; }
emulated() { profiles | jq -r 'select(.qemu).id' | sort; }
# FOLDER: a board's test builds for it, writes that, and starts the machine.
started() {
	local test id
	for test in "$1"/*.sh; do
		id=$(basename "$test" .sh)
		[ -x "$test" ] && grep -qE "^built $id( |$)" "$test" && grep -qE "^written $id " "$test" &&
			grep -qE "^started $id( |$)" "$test" && echo "$id"
	done | sort
}

is "$(claimed)" "$(started tests/qemu)" "a profile says tested: qemu exactly when a test starts its machine"
is "$(emulated)" "$(started tests/qemu)" "and every profile that QEMU can start is started"

# ---- The check finds what it is for ----
cp -r tests/qemu "$TMP/qemu"
sed -i '/^started x86-bios/d; s/^fallback/: fallback/' "$TMP/qemu/x86-bios.sh"
is "$(diff <(claimed) <(started "$TMP/qemu"))" "$(printf '%s\n< x86-bios' "$(diff <(claimed) <(claimed | grep -vx x86-bios) | head -n 1)")" \
	"a test that starts no machine is found"
rm "$TMP/qemu/qemu-arm.sh"
! started "$TMP/qemu" | grep -qx qemu-arm
ok $? "a test that is missing is found"

finish

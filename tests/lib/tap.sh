# TAP for shell tests: source it, call the checks, and end with `finish`.
#
# $LKFLASH is the program under test. $TMP is a folder of this test's own, removed at its end; a
# command given to `at_end` runs before that, last one first.
# shellcheck shell=bash

set -u
LKFLASH=${LKFLASH:-$PWD/build/lkflash}
n_checks=0
n_failed=0
cleanup_commands=()
TMP=$(mktemp -d "${TMPDIR:-/tmp}/lkflash-test.XXXXXX")
# Nothing that this machine's lkflash keeps may be read or changed by a test.
export LKFLASH_STATE_DIR=$TMP/state
export LKFLASH_CACHE_DIR=$TMP/cache

run_cleanup() {
	local i
	for ((i = ${#cleanup_commands[@]} - 1; i >= 0; i--)); do
		eval "${cleanup_commands[i]}" >/dev/null 2>&1
	done
	# What a helper that was interrupted could not detach.
	losetup --list --noheadings --output NAME,BACK-FILE 2>/dev/null |
		awk -v folder="$TMP/" 'index($2, folder) == 1 {print $1}' | xargs -r -n 1 losetup -d
	rm -rf "$TMP"
}
trap run_cleanup EXIT
trap 'exit 1' INT TERM HUP

at_end() { cleanup_commands+=("$*"); }

# ok STATUS NAME: pass when STATUS is 0.
ok() {
	n_checks=$((n_checks + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n_checks - $2"
	else
		echo "not ok $n_checks - $2"
		n_failed=$((n_failed + 1))
	fi
}

# is GOT WANTED NAME
is() {
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "got:    $1"
		diag "wanted: $2"
	fi
}

# like TEXT EXTENDED_REGEXP NAME
like() {
	if grep -qE -- "$2" <<<"$1"; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "text:        $1"
		diag "should have: $2"
	fi
}

# shellcheck disable=SC2001 # every line, which ${//} cannot do
diag() { sed 's/^/# /' <<<"$1" >&2; }

# run COMMAND...: its exit status in $status, its standard output in $out, its errors in $err.
run() {
	"$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	status=$?
	out=$(tr -d '\0' <"$TMP/out")
	err=$(tr -d '\0' <"$TMP/err")
}

# exits STATUS NAME: what the last `run` ended with, and what it said when that is wrong.
exits() {
	if [ "$status" = "$1" ]; then
		ok 0 "$2"
	else
		ok 1 "$2"
		diag "exit status $status, wanted $1"
		diag "$out"
		diag "$err"
	fi
}

# requires COMMAND...: each must be there.
requires() {
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || skip_all "$command is not installed"
	done
}

# wait_for SECONDS COMMAND...: until it succeeds; it is asked twenty times a second.
wait_for() {
	local n
	for ((n = 0; n < $1 * 20; n++)); do
		"${@:2}" && return 0
		sleep 0.05
	done
	return 1
}

# skip_all WHY: this machine cannot run the test. In CI that is a failure (tests/run.sh).
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# loop_device VARIABLE FILE [losetup options]: a loop device on FILE, detached at the end.
loop_device() {
	local loop_node
	loop_node=$(losetup --find --show "${@:3}" "$2" 2>/dev/null) ||
		skip_all "loop devices are not to be had here"
	at_end "losetup -d $loop_node"
	printf -v "$1" '%s' "$loop_node"
}

# bootable_image FILE BYTES: so many random bytes, with a partition that an old BIOS would start.
bootable_image() {
	head -c "$2" /dev/urandom >"$1"
	printf 'label: dos\nstart=2048, size=2048, type=c, bootable\n' |
		sfdisk -q --no-reread --no-tell-kernel "$1" 2>/dev/null
}

# make_keys: a CA and a signer in $TMP/keys, once.
make_keys() {
	[ -d "$TMP/keys" ] || "$LKFLASH" keygen --out "$TMP/keys" -q
}

# sign_image IMAGE [options]: with the keys of make_keys, for the board "generic".
sign_image() {
	make_keys
	"$LKFLASH" sign --key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" --board generic \
		--version 1 -q "${@:2}" "$1"
}

finish() {
	echo "1..$n_checks"
	[ "$n_failed" = 0 ]
	exit
}

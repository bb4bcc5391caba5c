#!/bin/bash
# No thread can be made: no target is touched, and each is told of.
# shellcheck source-path=SCRIPTDIR/../..
. "$(dirname "$0")/../lib/tap.sh"
requires jq strace
strace -qq true 2>/dev/null || skip_all "strace cannot trace here"

# The leak checker cannot work in a program that is traced (make check SAN=1).
export ASAN_OPTIONS=detect_leaks=0

make_keys
head -c 3145728 /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw"
truncate -s 4M "$TMP/old.img"

# Each of the two targets has a helper process; what is made after these are threads.
run strace -f -qq -o /dev/null -e trace=clone,clone3 -e inject=clone,clone3:error=EAGAIN:when=3+ \
	"$LKFLASH" write --json --trust "$TMP/keys/ca.pem" "$TMP/image.raw" "$TMP/old.img" "$TMP/new.img"
exits 7 "without threads all targets fail"
failed=$(jq -sc 'map(select(.event == "failed"))' <<<"$out")
is "$(jq -c 'map(.code)' <<<"$failed")" "[1,1]" "each of them is told of"
is "$(jq -c 'map(.text | contains("the target was not touched")) | unique' <<<"$failed")" "[true]" "with its state"
cmp -s "$TMP/old.img" <(head -c 4M /dev/zero)
ok $? "the one that was there is as it was"
[ ! -e "$TMP/new.img" ]
ok $? "and a file that was made is gone"

finish

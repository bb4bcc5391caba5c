#!/bin/bash
# The threads under the thread sanitizer: the pipeline and the copier by themselves, and the program
# that writes to disks, files and one that lags, in a build of their own.
. "$(dirname "$0")/../lib/tap.sh"
requires make gcc losetup cmp
make=(make -s --no-print-directory BUILD=build SAN=thread)
tsan=build/tsan
export TSAN_OPTIONS="halt_on_error=0 exitcode=66 log_path=$TMP/race"

# $BUILD and $MAKEFLAGS of the `make check` that runs this are not meant for it.
unset MAKEFLAGS MAKELEVEL
"${make[@]}" "$tsan/lkflash" "$tsan"/tests/unit/test_{pump,copy,execute} >"$TMP/make.log" 2>&1
ok $? "all builds with the thread sanitizer" || diag "$(cat "$TMP/make.log")"

for test in pump copy execute; do
	"$tsan/tests/unit/test_$test" >"$TMP/out" 2>&1
	ok $? "test_$test finds no race"
done

make_keys
head -c 24000000 /dev/urandom >"$TMP/image.raw"
truncate -s 30000000 "$TMP/image.raw"
sign_image "$TMP/image.raw"
"$LKFLASH" pack -q --key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" --board generic \
	--version 1 --out "$TMP/image.raw.zst" "$TMP/image.raw"
for disk in a b c; do truncate -s 32M "$TMP/$disk"; done
loop_device LOOP "$TMP/a"

# writes WHAT OPTIONS...: the program writes to the disk and two files without a race.
writes() {
	run "$tsan/lkflash" write -q --trust "$TMP/keys/ca.pem" "${@:2}" "$LOOP" "$TMP/b" "$TMP/c"
	exits 0 "$1 is written to three targets without a race"
	cmp -s -n 30000000 "$TMP/image.raw" "$LOOP" && cmp -s -n 30000000 "$TMP/image.raw" "$TMP/c"
	ok $? "and they hold it"
}
writes "a raw image" "$TMP/image.raw"
writes "a packed image" "$TMP/image.raw.zst"
printf x | dd of="$TMP/b" bs=1 seek=5000000 conv=notrunc status=none
writes "what differs" --delta "$TMP/image.raw.zst"

mkfifo "$TMP/pipe"
cat "$TMP/image.raw" >"$TMP/pipe" &
feeder=$!
writes "a pipe" --manifest "$TMP/image.raw.lkm" "$TMP/pipe"
kill "$feeder" 2>/dev/null # nobody opened the pipe
wait "$feeder"
is "$(cat "$TMP"/race* 2>/dev/null | head -n 40)" "" "the thread sanitizer has nothing to tell"

finish

#!/bin/bash
# A block device as the source of an image: needs a loop device, for which a file is no substitute.
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
requires losetup

CAT=${BUILD:-$PWD/build/release}/tests/lib/cat_source
head -c 1048576 /dev/urandom >"$TMP/image"
disk=
loop_device disk "$TMP/image" --read-only

is "$("$CAT" --size "$disk")" 1048576 "the size of a block device is known"
"$CAT" "$disk" | cmp -s - "$TMP/image"
ok $? "a block device is read to its end"
"$CAT" --seek 1000001 "$disk" | cmp -s - <(tail -c +1000002 "$TMP/image")
ok $? "and from anywhere"

finish

#!/bin/bash
# Disks that answer every request and do not keep what they are given: what is told of it, and that
# nothing boots from them.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/disks.sh"
requires losetup sfdisk cmp
disk=''

make_keys
head -c 3145728 /dev/urandom >"$TMP/image.raw"
printf 'label: dos\nstart=2048, size=2048, type=c, bootable\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/image.raw" 2>/dev/null
sign_image "$TMP/image.raw" --chunk-size 256K
WRITE=("$LKFLASH" write -q --trust "$TMP/keys/ca.pem" "$TMP/image.raw")

# writes NAME WHAT: the image comes to be on $disk, whose content is in $TMP/NAME.
writes() {
	run "${WRITE[@]}" "$disk"
	exits 0 "$2 is written"
	cmp -s -n 3145728 "$TMP/$1" "$TMP/image.raw"
	ok $? "and holds the image"
}

# fails NAME STATUS WORDS WHAT
fails() {
	run "${WRITE[@]}" "$disk"
	exits "$2" "$4 is no success"
	like "$err" "$3" "and is told"
	like "$err" "incomplete and will not boot" "with the state of the target"
	cmp -s -n 4096 "$TMP/$1" /dev/zero
	ok $? "which does not boot"
}

bad_disk disk well
writes well "a disk made like this"
bad_disk disk plain --no-zeroing
writes plain "one that cannot zero by itself"
bad_disk disk late --fault any:hold:ms=20:nth=3
writes late "one that answers late"

bad_disk disk dropped --fault write:drop:at=1M:size=4K
head -c 1048576 "$TMP/image.raw" >"$TMP/dropped"
truncate -s 16M "$TMP/dropped"
fails dropped 5 'at byte 1048576' "a disk that forgets a write"

bad_disk disk flipped --fault write:flip:at=2500000
fails flipped 5 'at byte 2359296|at byte 2500000' "a disk that turns a bit when written"

bad_disk disk misread --fault read:flip:at=2500000
fails misread 5 'at byte 2359296|at byte 2500000' "a disk that turns a bit when read"

bad_disk disk ones --fault write:ones:at=2M:size=64K
fails ones 5 'at byte 2097152' "a disk that is stuck at 0xff"

bad_disk disk zeros --fault read:zeros:at=2M:size=64K
fails zeros 5 'at byte 2097152' "a disk that is stuck at zero"

finish

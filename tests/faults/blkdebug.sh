#!/bin/bash
# A disk that QEMU's blkdebug makes fail in single sectors. It is served by qemu-nbd: QEMU's own FUSE
# export mixes up writes that come at once, up to 7.2.
. "$(dirname "$0")/../lib/tap.sh"
requires qemu-nbd nbdfuse losetup sfdisk cmp umount
disk=''

make_keys
bootable_image "$TMP/image.raw" 3145728
sign_image "$TMP/image.raw" --chunk-size 256K

# blkdebug_disk NAME KEY=VALUE...: $disk fails so, as QEMU's block/blkdebug.c tells; what is on it is in
# $TMP/NAME.
blkdebug_disk() {
	local file=$TMP/$1 options='' key
	for key in "${@:2}"; do options+=",file.inject-error.0.$key"; done
	truncate -s 16M "$file"
	: >"$file.fuse"
	qemu-nbd --persistent --cache none --socket "$file.socket" --pid-file "$file.qemu" --image-opts \
		"driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=$file$options" \
		2>"$file.log" &
	at_end "kill $!; wait $!"
	wait_for 60 test -s "$file.qemu"
	nbdfuse --pidfile "$file.pid" "$file.fuse" "nbd+unix:///?socket=$file.socket" 2>>"$file.log" &
	at_end "umount $file.fuse"
	wait_for 60 test -s "$file.pid" || diag "nbdfuse does not start: $(cat "$file.log")"
	loop_device disk "$file.fuse" --direct-io=on
}

# fails NAME WORDS WHAT: no success, and what is on the disk does not boot.
fails() {
	run "$LKFLASH" write -q --trust "$TMP/keys/ca.pem" "$TMP/image.raw" "$disk"
	exits 1 "$3 is no success"
	like "$err" "$2" "and is told"
	like "$err" "the target is incomplete and will not boot" "with the state of the target"
	cmp -s -n 4096 "$TMP/$1" /dev/zero
	ok $? "which does not boot"
}

# Sector 5000 is in the chunk at byte 2359296.
blkdebug_disk write event=none iotype=write sector=5000 errno=5 once=off
fails write 'writing at byte 2359296: Input/output error' "a sector that cannot be written"

blkdebug_disk full event=none iotype=write sector=5000 errno=28 once=off
fails full 'writing at byte 2359296: No space left on device' "a thin disk that is full"

blkdebug_disk flush event=none iotype=flush errno=5 once=off
fails flush 'flushing: Input/output error' "a flush that fails"

# qemu-nbd hangs up then, and every later request fails, too, with one error or another.
blkdebug_disk gone event=none iotype=read sector=5000 errno=5 once=on
fails gone 'reading at byte [0-9]*: [A-Z]' "a disk that goes away while it is read"

finish

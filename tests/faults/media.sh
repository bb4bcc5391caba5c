#!/bin/bash
# Media that fail, lie or are full: never success, and never a target that starts half an image.
. "$(dirname "$0")/../lib/tap.sh"
requires losetup sfdisk nbdkit nbdfuse mount cmp
disk=''

make_keys
bootable_image "$TMP/image.raw" 3145728
sign_image "$TMP/image.raw"
WRITE=("$LKFLASH" write -q --trust "$TMP/keys/ca.pem" "$TMP/image.raw")

# faulty_disk NAME [pread=SHELL] [pwrite=SHELL] [flush=SHELL]: $disk becomes a disk of 16 MiB, on the
# file $TMP/NAME. The shell code comes before what a disk does; it finds the number of bytes in $3 and
# their offset in $4. Direct, so that the page cache of what is below does not answer in its place.
# (QEMU's FUSE export would do as well, but up to 7.2 it mixes up writes that come at once.)
faulty_disk() {
	local file=$TMP/$1 pread='' pwrite='' flush='' i
	for i in "${@:2}"; do local "${i%%=*}=${i#*=}"; done
	truncate -s 16M "$file"
	: >"$file.fuse"
	nbdfuse --pidfile "$file.pid" "$file.fuse" --command nbdkit --exit-with-parent -s eval \
		get_size="echo 16777216" can_write="exit 0" can_flush="exit 0" \
		pread="$pread
			dd if='$file' iflag=skip_bytes,count_bytes skip=\$4 count=\$3 bs=1M status=none" \
		pwrite="$pwrite
			dd of='$file' oflag=seek_bytes seek=\$4 bs=1M conv=notrunc status=none" \
		flush="$flush
			sync '$file'" 2>"$file.log" &
	at_end "umount $file.fuse"
	wait_for 60 test -s "$file.pid" || diag "nbdfuse does not start: $(cat "$file.log")"
	loop_device disk "$file.fuse" --direct-io=on
}

# covers BYTE: shell code, true for a request that this byte is part of.
covers() { echo "[ \$4 -le $1 ] && [ \$((\$4 + \$3)) -gt $1 ]"; }
FAIL='{ echo EIO told to >&2; exit 1; }'

# fails NAME STATUS WORDS WHAT: writing to $disk fails so, and what is in $TMP/NAME does not boot.
fails() {
	run "${WRITE[@]}" "$disk"
	exits "$2" "$4 is no success"
	like "$err" "$3" "and is told"
	like "$err" "incomplete and will not boot" "with the state of the target"
	cmp -s -n 4096 "$TMP/$1" /dev/zero
	ok $? "which does not boot"
}

# ---- A disk that is well, so that the others fail for what is done to them alone
faulty_disk well
run "${WRITE[@]}" "$disk"
exits 0 "a disk made like this is written"
cmp -s -n 3145728 "$TMP/well" "$TMP/image.raw"
ok $? "and holds the image"

# ---- Requests that fail
faulty_disk write pwrite="$(covers 2500000) && $FAIL"
fails write 1 'writing at byte 2097152: Input/output error' "a write that fails"

faulty_disk flush flush="$FAIL"
fails flush 1 'flushing: Input/output error' "a flush that fails"

# The kernel tells of it once; the next flush succeeds.
faulty_disk once flush="[ -e '$TMP/armed' ] && rm '$TMP/armed' && $FAIL"
: >"$TMP/armed"
fails once 1 'flushing: Input/output error' "a flush that fails once"

faulty_disk read pread="$(covers 3000000) && $FAIL"
fails read 1 'reading back: reading at byte 2621440: Input/output error' "a read-back that fails"

# Nothing goes wrong until the first flush; then the first sector cannot be written any more.
faulty_disk commit flush=": >'$TMP/flushed'" pwrite="[ -e '$TMP/flushed' ] && $(covers 0) && $FAIL"
rm -f "$TMP/flushed" # the kernel flushes a new disk
run "${WRITE[@]}" "$disk"
exits 1 "a commit that fails is no success"
like "$err" 'committing: writing at byte 0: Input/output error' "and is told"
cmp -s -n 512 "$TMP/commit" /dev/zero
ok $? "and the target does not boot"

# ---- A disk that takes everything and keeps the first 2 MiB: smaller than it says
faulty_disk liar pwrite="[ \$4 -ge 2097152 ] && exec cat >/dev/null"
fails liar 5 'chunk 2 at byte 2097152: first differs at byte 2097152' "a disk that loses what it was given"

# ---- Full file systems
mkdir "$TMP/small"
mount -t tmpfs -o size=2M none "$TMP/small"
at_end "umount $TMP/small"
truncate -s 16M "$TMP/small/disk"
loop_device disk "$TMP/small/disk"
run "${WRITE[@]}" "$disk"
exits 1 "a disk that has less room than it says is no success"
cmp -s -n 4096 "$TMP/small/disk" /dev/zero
ok $? "and does not boot"

run "${WRITE[@]}" "$TMP/small/new"
exits 1 "a file system that is full is no success"
like "$err" 'No space left on device; free some space' "and the way out is told"

finish

#!/bin/bash
# Each read, write, flush and control call of a run fails in turn: success is told only when all of the
# image is on the target, and otherwise the target never looks bootable before that.
. "$(dirname "$0")/../lib/tap.sh"
requires strace losetup cmp sfdisk
LOOP=''

make_keys
head -c 2500000 /dev/urandom >"$TMP/image.raw"
printf 'label: dos\nstart=2048, size=2048, type=c, bootable\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/image.raw" 2>/dev/null
sign_image "$TMP/image.raw"
truncate -s 4M "$TMP/disk"
printf 'label: dos\nstart=2048, size=4096, type=83, bootable\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/disk" 2>/dev/null
cp "$TMP/disk" "$TMP/old"
loop_device LOOP "$TMP/disk"
strace -qq true 2>/dev/null || skip_all "strace cannot trace here"
WRITE=("$LKFLASH" write -q --trust "$TMP/keys/ca.pem" "$TMP/image.raw" "$LOOP")

is_complete() { cmp -s -n 2500000 "$TMP/image.raw" "$LOOP"; }
is_safe() {
	cmp -s "$TMP/old" "$LOOP" || cmp -s -n 4096 "$LOOP" /dev/zero || is_complete
}

# sweep SYSCALL ERROR: the call fails with this error, the first time it is made, the second, ...
sweep() {
	local n_calls n_unsafe=0 n_lies=0 n_silent=0 n i
	strace -f -qq -o "$TMP/calls" -e "trace=$1" "${WRITE[@]}" </dev/null
	n_calls=$(grep -c "$1(" "$TMP/calls")
	for ((n = 1; n <= n_calls; n++)); do
		dd if="$TMP/old" of="$LOOP" bs=1M conv=fsync status=none
		strace -f -qq -o /dev/null -e "trace=$1" -e "inject=$1:error=$2:when=$n" \
			"${WRITE[@]}" </dev/null 2>"$TMP/err"
		i=$?
		blockdev --flushbufs "$LOOP"
		is_safe || n_unsafe=$((n_unsafe + 1))
		if [ "$i" = 0 ]; then
			is_complete || n_lies=$((n_lies + 1))
		else
			[ -s "$TMP/err" ] || n_silent=$((n_silent + 1))
		fi
	done
	[ "$n_calls" -gt 0 ]
	ok $? "$1 fails with $2: the run has such calls"
	is "$n_lies" 0 "$1 that fails never ends in a false success"
	is "$n_unsafe" 0 "$1 that fails leaves nothing that boots half an image"
	is "$n_silent" 0 "$1 that fails is told of"
}

sweep pwrite64 EIO
sweep pwrite64 ENOSPC
sweep fsync EIO
sweep pread64 EIO
sweep fallocate EIO
sweep fallocate EOPNOTSUPP # a device that cannot zero by itself
sweep ioctl EIO
sweep ioctl EOPNOTSUPP

run "${WRITE[@]}"
exits 0 "the same command finishes what failed"
is_complete
ok $? "and the target is whole"

finish

#!/bin/bash
# A signal at every write, flush and read of a run: the target never looks bootable before all of the
# image is on it, and running the same command again finishes it.
. "$(dirname "$0")/../lib/tap.sh"
requires strace losetup cmp sfdisk

make_keys
bootable_image "$TMP/image.raw" 2500000
sign_image "$TMP/image.raw"
head -c 4194304 /dev/urandom >"$TMP/old"
printf 'label: dos\nstart=2048, size=4096, type=83, bootable\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/old" 2>/dev/null
cp "$TMP/old" "$TMP/disk"
loop_device LOOP "$TMP/disk"
strace -qq true 2>/dev/null || skip_all "strace cannot trace here"

# The leak checker cannot work in a program that is traced (make check SAN=1).
export ASAN_OPTIONS=detect_leaks=0

WRITE=("$LKFLASH" write -q --trust "$TMP/keys/ca.pem" "$TMP/image.raw" "$LOOP")

# How many calls of the syscall one whole run makes, in the thread that makes the most: strace counts
# for each thread by itself.
count_calls() {
	strace -f -qq -o "$TMP/calls" -e "trace=$1" "${WRITE[@]}" </dev/null
	awk -v call="$1(" 'index($0, call) {n[$1]++} END {for (t in n) if (n[t] > most) most = n[t]
		print most + 0}' "$TMP/calls"
}

# inject SIGNAL SYSCALL N: a run that gets the signal at its Nth call of the syscall.
inject() {
	{
		strace -f -qq -o /dev/null -e "trace=$2" -e "inject=$2:signal=$1:when=$3" \
			"${WRITE[@]}" </dev/null
	} 2>"$TMP/err" # the shell's own word about a killed command goes there too
}

# The target is as it was, or has neither table nor boot sector, or is complete.
is_safe() {
	cmp -s "$TMP/old" "$LOOP" || cmp -s -n 512 "$LOOP" /dev/zero ||
		cmp -s -n 2500000 "$TMP/image.raw" "$LOOP"
}

# sweep SIGNAL SYSCALL EXIT_STATUS...: the signal comes at each call of the syscall, in turn.
sweep() {
	local n_calls n_unsafe=0 n_odd=0 n i
	n_calls=$(count_calls "$2")
	for ((n = 1; n <= n_calls; n++)); do
		dd if="$TMP/old" of="$LOOP" bs=1M conv=fsync status=none
		inject "$1" "$2" "$n"
		i=$?
		blockdev --flushbufs "$LOOP"
		is_safe || n_unsafe=$((n_unsafe + 1))
		[[ " ${*:3} " == *" $i "* ]] || n_odd=$((n_odd + 1))
		# A program that is still being loaded says nothing, and has touched nothing.
		if [ "$i" != 0 ] && [ "$1" != KILL ] && ! grep -q 'the target' "$TMP/err" &&
			! cmp -s "$TMP/old" "$LOOP"; then
			n_odd=$((n_odd + 1))
		fi
	done
	[ "$n_calls" -gt 0 ]
	ok $? "$1 comes at $2: the run has such calls"
	is "$n_unsafe" 0 "$1 at any $2 leaves nothing that boots half an image"
	is "$n_odd" 0 "$1 at any $2 ends as it should, and says in what state the target is"
}

sweep KILL io_uring_enter 137
# A helper process makes these, and strace counts in each process: a late one is never reached.
sweep KILL fsync 137 1 0
sweep KILL fallocate 137 1
sweep KILL ioctl 137 0
sweep TERM io_uring_enter 143 0
sweep TERM fsync 143 0
# strace sends it to the target's thread alone, so that nobody can tell that it was INT.
sweep INT io_uring_enter 130 143 0
sweep INT pread64 130 0

dd if="$TMP/old" of="$LOOP" bs=1M conv=fsync status=none
inject KILL io_uring_enter 3
run "${WRITE[@]}"
exits 0 "the same command finishes what was killed"
cmp -s -n 2500000 "$TMP/image.raw" "$LOOP"
ok $? "and the target is whole"

finish

#!/bin/bash
# Each system call of a run fails once, in turn: success is told only when all of the image is on every
# target; else there is a message and an exit status, and nothing that boots half an image. Never does
# it hang or crash.
#
# strace counts the calls of each thread by itself, so "the Nth call" is that of every thread. Of a
# call that is made often the first three fail, the last two, and every tenth. Those that load the
# program are not its own; they end when the list of libraries is unmapped.
. "$(dirname "$0")/../lib/tap.sh"
requires strace losetup cmp sfdisk timeout nm
N_WORKERS=2
TIMEOUT_S=60
IMAGE_BYTES=2500000

make_keys
head -c "$IMAGE_BYTES" /dev/urandom >"$TMP/image.raw"
dd if=/dev/zero of="$TMP/image.raw" bs=64K seek=20 count=4 conv=notrunc status=none
printf 'label: dos\nstart=2048, size=2048, type=c, bootable\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/image.raw" 2>/dev/null
sign_image "$TMP/image.raw" --chunk-size 256K
"$LKFLASH" pack --key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" --board generic --version 1 -q \
	--chunk-size 256K --out "$TMP/image.zst" "$TMP/image.raw"
truncate -s 4M "$TMP/old"
printf 'label: dos\nstart=2048, size=4096, type=83, bootable\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/old" 2>/dev/null
LOOPS=()
for ((w = 0; w < N_WORKERS; w++)); do
	cp "$TMP/old" "$TMP/disk$w"
	loop_device loop "$TMP/disk$w"
	LOOPS+=("${loop:?}")
done
# It would be the sanitizer's own calls that fail (make check SAN=1).
! nm -D "$LKFLASH" | grep -q __asan_ || skip_all "the program is one with an address sanitizer"
strace -qq true 2>/dev/null || skip_all "strace cannot trace here"
# What cannot fail (fcntl: on a descriptor that is open), or fails before the program is there; and what
# strace cannot let fail as the kernel does: brk, which tells of it in another way, close, which lets go
# of the descriptor all the same, and futex, whose wakings never fail.
BEYOND='brk close execve exit exit_group fcntl futex rt_sigreturn restart_syscall'
# The errors that such a call has in earnest; EIO is that of all others.
declare -A ERRORS=(
	[mmap]=ENOMEM [mprotect]=ENOMEM [munmap]=ENOMEM [mremap]=ENOMEM [madvise]=ENOMEM
	[clone]=EAGAIN [clone3]=EAGAIN
	[openat]='EACCES EMFILE' [read]='EIO EINTR' [pread64]='EIO EINTR' [pwrite64]='EIO ENOSPC EINTR'
	[write]='EIO ENOSPC' [fallocate]='EIO EOPNOTSUPP' [ioctl]='EIO EOPNOTSUPP'
	[poll]='EIO EINTR' [ppoll]='EIO EINTR'
	[io_uring_setup]='ENOSYS EPERM ENOMEM' [io_uring_register]='EINVAL ENOMEM'
	[io_uring_enter]='EIO EINTR EAGAIN EBUSY'
)

# which_calls N_LOADING N: of N calls, those that fail.
which_calls() {
	local n
	for ((n = $1 + 1; n <= $2; n++)); do
		if [ "$n" -le $(($1 + 3)) ] || [ "$n" -gt $(($2 - 2)) ] || [ $((n % 10)) = 0 ]; then
			echo "$n"
		fi
	done
}

# From a trace, lines of SYSCALL, how many calls of it load the program, the most of any one thread.
count_calls() {
	sed -nE 's/^([0-9]+) +([a-z0-9_]+)\(.*/\1 \2/p' "$1" | awk '
		{n = ++made[$0]; if (n > most[$2]) most[$2] = n}
		!is_loaded {loading[$2]++}
		$2 == "munmap" {is_loaded = 1}
		END {for (name in most) print name, loading[name] + 0, most[name]}' | sort
}

# Lines of SYSCALL ERROR N, for all that is to fail.
list_cases() {
	local name n_loading count error n
	while read -r name n_loading count; do
		[[ " $BEYOND " != *" $name "* ]] || continue
		for error in ${ERRORS[$name]:-EIO}; do
			for n in $(which_calls "$n_loading" "$count"); do echo "$name $error $n"; done
		done
	done
}

is_complete() { cmp -s -n "$IMAGE_BYTES" "$TMP/image.raw" "$1"; }
is_safe() { cmp -s "$TMP/old" "$1" || cmp -s -n 512 "$1" /dev/zero || is_complete "$1"; }

# verdict STATUS MESSAGES TARGETS...: what is wrong with a run; "fine" when nothing is.
verdict() {
	local target
	[ "$1" != 137 ] || { echo hangs && return; }
	[ "$1" -lt 128 ] || { echo crashes && return; }
	[ "$1" = 0 ] || grep -qE '^lkflash: |"event":"failed"' "$2" || { echo "fails in silence" && return; }
	for target in "${@:3}"; do
		is_safe "$target" || { echo "boots half an image" && return; }
		[ "$1" != 0 ] || is_complete "$target" || { echo "false success" && return; }
	done
	echo fine
}

# traced STRACE_OPTIONS...: $image onto $targets, under strace, with the option $how.
traced() {
	timeout -s KILL "$TIMEOUT_S" strace -f -qq "$@" "$LKFLASH" write "$how" \
		--trust "$TMP/keys/ca.pem" "$image" "${targets[@]}" </dev/null
}

# one_case MESSAGES SYSCALL ERROR N
one_case() {
	local status target
	for target in "${targets[@]}"; do dd if="$TMP/old" of="$target" bs=1M conv=fsync status=none; done
	{
		traced --seccomp-bpf -o /dev/null -e "trace=$2" -e "inject=$2:error=$3:when=$4"
	} >"$1" 2>&1 # the shell's own word about a killed command goes there too
	status=$?
	blockdev --flushbufs "${targets[0]}"
	echo "$2 $3 $4: status $status, $(verdict "$status" "$1" "${targets[@]}"), $(tail -n 1 "$1")"
}

# take_targets W N: the N targets of a worker, a loop device and a file.
take_targets() {
	targets=("${LOOPS[$1]}" "$TMP/file$1")
	targets=("${targets[@]:0:$2}")
}

# work W N_TARGETS: every N_WORKERS-th case, with a folder for state of its own.
work() {
	local line
	local -x LKFLASH_STATE_DIR=$TMP/state$1
	take_targets "$1" "$2"
	while read -r -u 3 line; do
		# shellcheck disable=SC2086 # words on purpose
		one_case "$TMP/err$1" $line
	done 3< <(awk -v w="$1" -v n="$N_WORKERS" 'NR % n == w' "$TMP/cases") >"$TMP/results$1"
}

# sweep IMAGE N_TARGETS OPTION
sweep() {
	local image=$1 how=$3 targets name w
	take_targets 0 "$2"
	for name in "${targets[@]}"; do dd if="$TMP/old" of="$name" bs=1M status=none; done
	traced -o "$TMP/calls" >/dev/null 2>&1
	is "$(verdict $? "$TMP/calls" "${targets[@]}")" fine "${1##*.}: a run under strace is complete"
	count_calls "$TMP/calls" | list_cases >"$TMP/cases"
	for ((w = 0; w < N_WORKERS; w++)); do work "$w" "$2" & done
	wait
	cat "$TMP"/results? >"$TMP/results"
	is "$(wc -l <"$TMP/results")" "$(wc -l <"$TMP/cases")" "${1##*.}: each run came to an end"
	for name in $(cut -d ' ' -f 1 "$TMP/cases" | uniq); do
		is "$(grep "^$name " "$TMP/results" | grep -v ', fine, ')" "" \
			"${1##*.}: $name may fail at any time"
	done
}

sweep "$TMP/image.raw" 1 -q
sweep "$TMP/image.zst" 2 --json

finish

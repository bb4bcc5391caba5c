#!/bin/bash
# Static analysis: one line a tool, and what it found when that is something. `make lint` runs it.
set -u
cd "$(dirname "$0")/.." || exit 1
WARNINGS=${WARNINGS:--Wall -Wextra -Werror}
jobs=$(nproc)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
n_failed=0

mapfile -t program < <(git ls-files 'flash/*.c' 'boards/*.c' 'bootloader/*.c' 'provision/*.c')
mapfile -t tests < <(git ls-files 'tests/*.c')
mapfile -t headers < <(git ls-files '*.h')
mapfile -t scripts < <(git ls-files '*.sh' '*.bash' .ci/run)
flags=(-std=gnu11 -I. -D_GNU_SOURCE '-DLKFLASH_VERSION="lint"' -DLKFLASH_BUILD_TIME=0)

# One file at a time, so that no tool carries what it learned from one into the next.
each() { # FILES... -- COMMAND...: COMMAND FILE
	local files=()
	while [ "$1" != -- ]; do
		files+=("$1")
		shift
	done
	shift
	printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$jobs" "$@"
}

# gcc 12's analyzer. tests/lib/analyzer.h tells it that err_set() and the like return -1, which it
# cannot see from another file. It takes variables that CLEANUP frees for uninitialised once freep()
# is inlined; style.md has every variable initialised where it is declared, and clang looks after it.
# In the files named here it loses track of memory that is owned through a pointer in a struct, and
# reports a leak; the leak sanitizer looks after these.
loses_track=(flash/disk/facts_uses.c flash/disk/tree.c flash/disk/tree_folder.c
	flash/image/image_stream.c flash/image/verified.c provision/build/qemu_args.c)
analyze() {
	local more=(-include tests/lib/analyzer.h)
	[ "$1" != flash/base/err.c ] || more=()
	[[ " ${loses_track[*]} " != *" $1 "* ]] || more+=(-Wno-analyzer-malloc-leak)
	gcc "${flags[@]}" -O1 -fanalyzer -Werror -Wno-analyzer-use-of-uninitialized-value \
		"${more[@]}" -c -o /dev/null "$1"
}

# The same help for clang's analyzer.
tidy() {
	local more=(-include tests/lib/analyzer.h)
	[ "$1" != flash/base/err.c ] || more=()
	clang-tidy-14 --quiet "$1" -- "${flags[@]}" "${more[@]}" 2>&1 |
		grep -vE '^[0-9]+ warnings? (generated|treated as errors)|^Suppressed|^Use -'
	return "${PIPESTATUS[0]}"
}

compile_with_clang() {
	# shellcheck disable=SC2086 # words on purpose
	clang-14 "${flags[@]}" $WARNINGS -O1 -c -o /dev/null "$1"
}

# memleak, unreadVariable: cppcheck does not follow CLEANUP. variableScope: style.md puts variables
# that are needed on every path first. varFuncNullUB: NULL is a pointer here, not the number 0.
check_with_cppcheck() {
	cppcheck --quiet -j "$jobs" --std=c11 --enable=warning,performance,portability,style \
		--inline-suppr --error-exitcode=1 --suppress=memleak --suppress=unreadVariable \
		--suppress=variableScope --suppress=varFuncNullUB -I. -D_GNU_SOURCE \
		"${program[@]}" "${tests[@]}"
}

run_tool() { # NAME COMMAND...
	local start=$SECONDS verdict=clean
	if ! "${@:2}" >"$log" 2>&1; then
		verdict=FAILED
		n_failed=$((n_failed + 1))
	fi
	printf '  %-16s %-7s %4d s\n' "$1" "$verdict" $((SECONDS - start))
	[ "$verdict" = clean ] || cat "$log"
}

if [ "${1:-}" = --one ]; then
	"$2" "$3"
	exit
fi

run_tool clang-format clang-format-14 --dry-run -Werror "${program[@]}" "${tests[@]}" "${headers[@]}"
# Scripts say . tests/lib/tap.sh or . "$(dirname "$0")/../lib/tap.sh".
run_tool shellcheck shellcheck -x -P .:tests/cli "${scripts[@]}"
run_tool cppcheck check_with_cppcheck
run_tool clang-14 each "${program[@]}" "${tests[@]}" -- "$0" --one compile_with_clang
run_tool 'gcc -fanalyzer' each "${program[@]}" -- "$0" --one analyze
run_tool clang-tidy each "${program[@]}" "${tests[@]}" -- "$0" --one tidy
[ "$n_failed" = 0 ]

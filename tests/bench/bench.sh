#!/bin/bash
# How fast lkflash is beside the tools that do the same work: a table of ratios, and the same as JSON
# in $BENCH_JSON. `make bench` runs all cases, BENCH_CASE=zst one of them, BENCH_CASE='raw-*' some.
#
# Rival and lkflash take turns (A B A B ...), so that what else the machine does meets both; a ratio is
# that of the medians of BENCH_RUNS runs each, after one run each that is not counted. Images and
# targets are in RAM (/dev/shm), and no cache is dropped: both sides find the image in memory. Targets
# are loop devices with direct I/O; what their kernel threads do counts for neither side.
# A bar that is missed is told, and is no failure.
TMPDIR=${BENCH_DIR:-/dev/shm} . "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../bench/inputs.sh"
. "$(dirname "$0")/../bench/sides.sh"
. "$(dirname "$0")/../bench/measure.sh"
RUNS=${BENCH_RUNS:-5}
BENCH_JSON=${BENCH_JSON:-$PWD/build/bench.json}

# Name; the most that the ratio may be; what is measured (measure.sh); which input is needed
# (inputs.sh); what lkflash and its rival do (sides.sh), the rival's a number where it is a limit; and
# what the table says.
CASES='
raw-dd-1m     1.15 wall  raw   write_raw     dd_1m           raw, write and read back / dd 1 MiB
raw-dd-4m     1.15 wall  raw   write_raw     dd_4m           raw, write and read back / dd 4 MiB
raw-bmaptool  0.50 wall  raw   write_raw     bmaptool_copy   raw, write and read back / bmaptool
zst           0.60 wall  zst   write_zst     zstd_dd         packed .zst / zstd -dc | dd
xz            0.65 wall  xz    write_xz      xz_dd           .xz, 24 MiB blocks / xz -dc | dd
delta         1.20 wall  raw   write_delta   dd_read         --delta, nothing changed / dd read
eight         1.10 wall  small write_eight   write_one       8 targets at 40 MB/s (128 MiB) / 1
one-slow      1.00 seven small write_unequal write_eight     7 of 8, the last at 10 MB/s / at 40
memory-1      1.00 peak  raw   write_raw     64              peak memory, 1 target / 64 MiB
memory-1-xz   1.00 peak  xz    write_xz      64              peak memory, 1 target, .xz / 64 MiB
memory-8      1.00 peak  small write_eight   160             peak memory, 8 targets / 160 MiB
memory-8-slow 1.00 peak  small write_unequal 160             the same, the last at 10 MB/s / 160 MiB
cpu           1.00 cpu   raw   write_raw     bmaptool_copy   user + system CPU a GiB / bmaptool
'

fail() {
	echo "bench: $1" >&2
	exit 1
}
# A bench that measures less than all of its cases would mislead.
skip_all() { fail "$1"; }

# one_run METRIC SIDE: what a run of that side came to.
one_run() {
	case $2 in
	[0-9]*) echo "$2" ;;
	*) "$1" "$2" ;;
	esac
}

# take_turns METRIC OURS RIVAL: the runs, into $TMP/ours and $TMP/rival, a number a line.
take_turns() {
	local i
	: >"$TMP/ours"
	: >"$TMP/rival"
	for ((i = 0; i <= RUNS; i++)); do
		one_run "$1" "$2" >>"$TMP/ours" || return
		one_run "$1" "$3" >>"$TMP/rival" || return
	done
}

# The first run is the one that is not counted.
median() { # FILE
	sed 1d "$1" | sort -g | awk '{v[NR] = $1} END {print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'
}

# tell LABEL BAR METRIC: a line of the table, and an object for the JSON.
tell() {
	local ours rival ratio verdict=met
	ours=$(median "$TMP/ours")
	rival=$(median "$TMP/rival")
	ratio=$(awk -v a="$ours" -v b="$rival" 'BEGIN {printf "%.2f", a / b}')
	awk -v ratio="$ratio" -v bar="$2" 'BEGIN {exit ratio > bar}' || verdict=missed
	printf '%-46s %6s %6s %5d  %-7s %8.3f / %.3f %s\n' "$1" "$ratio" "$2" "$RUNS" "$verdict" \
		"$ours" "$rival" "${UNITS[$3]}"
	jq -n --arg case "$1" '{case: $case, ratio: $ARGS.positional[0], bar: $ARGS.positional[1],
		runs: $ARGS.positional[2]}' --jsonargs "$ratio" "$2" "$RUNS" >>"$TMP/results"
}

run_case() { # NAME BAR METRIC INPUT OURS RIVAL LABEL
	"input_$4" || fail "case $1: its input could not be made"
	take_turns "$3" "$5" "$6" || fail "case $1: $(tail -n 3 "$TMP/log")"
	tell "$7" "$2" "$3"
}

need_tools() {
	local tool
	for tool in "$LKFLASH" bmaptool dd fusermount3 jq losetup nbdfuse nbdkit openssl xz zstd /usr/bin/time; do
		command -v "$tool" >/dev/null || fail "$tool is missing: run make deps-bench"
	done
	[ "$(df --output=avail -m "$TMP" | tail -n 1)" -ge "$ROOM_MIB" ] ||
		fail "$TMP has less than $ROOM_MIB MiB of room; BENCH_DIR names another folder in RAM"
}

need_tools
: >"$TMP/results"
echo "$(nproc) processors, load $(cut -d ' ' -f 1 /proc/loadavg)"
printf '%-46s %6s %6s %5s  %-7s %8s / rival\n' case ratio bar runs '' lkflash
while read -r name bar metric input ours rival label; do
	# shellcheck disable=SC2053 # a pattern on purpose
	[[ -n $name && $name = ${BENCH_CASE:-*} ]] || continue
	run_case "$name" "$bar" "$metric" "$input" "$ours" "$rival" "$label" </dev/null
done <<<"$CASES"
[ -s "$TMP/results" ] || fail "there is no case $BENCH_CASE"
mkdir -p "$(dirname "$BENCH_JSON")" && jq -s . "$TMP/results" >"$BENCH_JSON"

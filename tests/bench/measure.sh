# What is measured of a run. Each of these runs the named side, and prints one number; what the side
# says goes to $TMP/log.
# shellcheck shell=bash

# shellcheck disable=SC2034 # for bench.sh
declare -A UNITS=([wall]=s [cpu]='s CPU a GiB' [peak]=MiB [seven]=s)

# timed FORMAT SIDE: with the shell's own clock, which counts children and has milliseconds.
timed() {
	local TIMEFORMAT=$1
	{ time "$2" >"$TMP/log" 2>&1; } 2>"$TMP/time"
}

wall() {
	timed %3R "$1" && cat "$TMP/time"
}

cpu() {
	timed '%3U %3S' "$1" && awk -v gib=$((MAPPED_MIB / 1024)) '{print ($1 + $2) / gib}' "$TMP/time"
}

peak() {
	"$1" >"$TMP/log" 2>&1 && awk '{print $1 / 1024}' "$TMP/peak"
}

# The seconds until the last of the first seven targets was done.
seven() {
	local start=$EPOCHREALTIME target
	"$1" >"$TMP/log" 2>&1 || return
	for target in "${LIMITED[@]:0:N_TARGETS-1}"; do
		grep -F "\"target\":\"$target\"" "$TMP/events"
	done | awk -v start="$start" '$1 - start > most {most = $1 - start} END {print most}'
}

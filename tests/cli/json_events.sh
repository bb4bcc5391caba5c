#!/bin/bash
# The events of --json: their order, their members, and that their codes agree with the exit status.
# shellcheck source-path=SCRIPTDIR/../..
. "$(dirname "$0")/../lib/tap.sh"
requires jq mount

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")
head -c 3145733 /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw"
cp "$TMP/image.raw" "$TMP/unsigned.raw"

# json ARGUMENT...: run it; standard output must be JSON, an object a line.
json() {
	run "$LKFLASH" "$@" --json
	is "$(jq -R 'try (fromjson | type) catch "no JSON"' <<<"$out" | sort -u)" '"object"' \
		"each line is an object: $1"
}
# The events in order, each with its phase, "failed" with its code; progress once.
events() { jq -r '[.event, .phase, .code | values] | map(tostring) | join(" ")' <<<"$out" | uniq; }
# told KIND FILTER: of the last event of KIND.
told() { jq -sc "map(select(.event == \"$1\")) | last | $2" <<<"$out"; }

# interrupted COMMAND...: send it SIGINT as soon as it watches for that, which is when it blocks it.
# What a shell starts in the background ignores SIGINT, unless it is told not to.
# shellcheck disable=SC2317 # by run
interrupted() {
	env --default-signal=INT "$@" &
	wait_for 60 is_blocking_sigint $!
	kill -INT $!
	wait $!
}
# shellcheck disable=SC2317 # by wait_for
is_blocking_sigint() { # PID
	local mask
	grep -qx lkflash "/proc/$1/comm" || return # the shell blocks it too, while it forks
	mask=$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$1/status")
	(((0x${mask:-0} >> (SIGINT - 1)) & 1))
}
SIGINT=$(kill -l INT)

# ---- Success
truncate -s 4M "$TMP/old.img"
json write "${TRUST[@]}" "$TMP/image.raw" "$TMP/old.img"
exits 0 "an image is written"
is "$(events)" "started
phase wipe
phase flush
phase write
progress write
phase flush
phase read-back
progress read-back
phase commit
progress commit
phase probe
done
memory" "started, the phases in order, done"
is "$err" "" "nothing is said beside the events"
is "$(jq -r 'select(.event != "memory") | .target' <<<"$out" | sort -u)" "$TMP/old.img" "every event names the target"
is "$(told memory 'keys')" '["bound_bytes","buffers_bytes","event","process_bytes"]' "but the last, which tells of memory"
is "$(told started 'del(.target)')" '{"event":"started","text":"image 1"}' "started has the image's name and version"
is "$(jq -c 'select(.event == "phase" and .phase == "write") | del(.target)' <<<"$out")" \
	'{"event":"phase","phase":"write","total_bytes":3145733}' "a phase has its total"
is "$(jq -c 'select(.event == "progress" and .phase == "read-back") | del(.target)' <<<"$out" | tail -1)" \
	'{"event":"progress","phase":"read-back","done_bytes":3145733,"total_bytes":3145733}' \
	"progress goes to the last byte"
is "$(told 'done' 'del(.target)')" '{"event":"done","written_bytes":3145733,"text":"signature"}' "done has the guarantee's short name"

json write "${TRUST[@]}" "$TMP/image.raw" "$TMP/new.img"
is "$(events | head -2 | tr '\n' ,)" "started,phase write," "a new file is not wiped"

json verify "${TRUST[@]}" --image "$TMP/image.raw" "$TMP/old.img"
exits 0 "a target is verified"
is "$(events | tr '\n' ,)" "phase check,progress check,phase read-back,progress read-back,done," \
	"by reading the image, and it back"
json verify "${TRUST[@]}" "$TMP/image.raw"
is "$(events | tr '\n' ,)" "phase check,progress check,done," "an image is checked"

json write --allow-unsigned --board generic "$TMP/unsigned.raw" "$TMP/old.img"
exits 0 "an unsigned image is written"
is "$(events | head -3 | tr '\n' ,)" "started,override,phase wipe," "and before that the override is told"
is "$(told override .text)" '"--allow-unsigned"' "by its option"
is "$(told 'done' .text)" '"none"' "and at the end that nothing held"
is "$(told started .text)" '"unsigned image"' "what has no name is told so"

run bash -c '"$@" <"$0"' "$TMP/unsigned.raw" "$LKFLASH" write --json --allow-unsigned --board generic - "$TMP/old.img"
exits 0 "a stream is written"
is "$(jq -c 'select(.event == "phase" and .phase == "write") | .total_bytes' <<<"$out")" null \
	"its total is not told, as it is not known"

json write -q "${TRUST[@]}" "$TMP/image.raw" "$TMP/old.img"
is "$(told 'done' .event)" '"done"' "-q leaves the events alone"

# ---- Failures
# failed CODE PHASE NAME: the last event is a failure, and the exit status is its code.
failed() {
	exits "$1" "$3"
	is "$(told failed '[.code, .phase]')" "[$1,$2]" "and the event has code and phase"
	is "$(jq -r 'select(.event != "memory") | .event' <<<"$out" | tail -n 1)" failed "and is the last"
}

json write "${TRUST[@]}" "$TMP/image.raw" "$TMP"
failed 3 '"check"' "a folder is refused"
is "$(events)" "failed check 3" "nothing is begun"
is "$(told failed .target)" "\"$TMP\"" "the target is named"
like "$(told failed .text)" "is a folder" "and the reason"
head -c 1000 /dev/zero >"$TMP/small.img"
json write "${TRUST[@]}" "$TMP/image.raw" "$TMP/small.img"
failed 3 '"check"' "a small target is refused"

json write "${TRUST[@]}" "$TMP/unsigned.raw" "$TMP/old.img" "$TMP/a.img"
failed 4 null "an unsigned image is refused"
is "$(events)" "failed 4" "once for all targets"
is "$(told failed .target)" null "and for none by itself"
cp "$TMP/image.raw" "$TMP/altered.raw"
printf 'x%.0s' {1..16} | dd of="$TMP/altered.raw" bs=1 seek=2500000 conv=notrunc status=none
json write "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" "$TMP/altered.raw" "$TMP/old.img"
failed 4 '"write"' "an altered image is refused when it is read"
like "$(told failed .text)" "chunk 2.*incomplete and will not boot" "with the chunk, and what the target is left as"
json verify "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" "$TMP/altered.raw"
exits 4 "it does not verify"
is "$(told failed .code)" 4 "and the event has the code"
json verify "${TRUST[@]}" --image "$TMP/image.raw" "$TMP/old.img"
exits 5 "nor does the target"
is "$(told failed .code)" 5 "and the event has the code"

mkdir "$TMP/full"
mount -t tmpfs -o size=2M lkflash-test "$TMP/full" 2>/dev/null || skip_all "a small file system is not to be had here"
at_end "umount '$TMP/full'"
json write "${TRUST[@]}" "$TMP/image.raw" "$TMP/full/new.img"
exits 1 "a target that fills up fails"
is "$(told failed .code)" 1 "and the event has the code"
like "$(told failed .text)" "No space left" "and the reason"

# ---- Several targets
json write "${TRUST[@]}" "$TMP/image.raw" "$TMP/a.img" "$TMP/full/b.img" "$TMP" "$TMP/c.img"
exits 7 "of several targets two fail"
is "$(jq -sc 'map(select(.event == "failed") | .code) | sort' <<<"$out")" "[1,3]" "each with its own code"
is "$(jq -r 'select(.event == "done") | .target' <<<"$out" | sort | tr '\n' ,)" "$TMP/a.img,$TMP/c.img," "the others are done"

# ---- Events that nobody gets
for verb in write verify sign; do
	case $verb in
	write) arguments=("${TRUST[@]}" "$TMP/image.raw" "$TMP/unheard.img") ;;
	verify) arguments=("${TRUST[@]}" --image "$TMP/image.raw" "$TMP/unheard.img") ;;
	sign) arguments=(--board generic --version 1 --key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" "$TMP/unsigned.raw") ;;
	esac
	run bash -c '"$@" >/dev/full' bash "$LKFLASH" "$verb" --json "${arguments[@]}"
	exits 1 "events that a full disk does not take are a failure of $verb"
	like "$err" "all was done, but it could not be told: standard output: .*No space left" "which says that it is one of telling"
done
cmp -s "$TMP/image.raw" "$TMP/unheard.img"
ok $? "the image is written all the same"
[ -s "$TMP/unsigned.raw.lkm" ]
ok $? "and signed"
rm "$TMP/unsigned.raw.lkm"

# ---- No target at all
json write --no-such-option "$TMP/image.raw" "$TMP/a.img"
exits 2 "an unknown option is told"
is "$(told failed 'del(.text)')" '{"event":"failed","code":2}' "without target and phase"
like "$err" "no option --no-such-option" "on standard error as well"

# A pipe that nobody fills, until a signal comes.
mkfifo "$TMP/fifo"
exec 9<>"$TMP/fifo"
run interrupted "$LKFLASH" verify --json --allow-unsigned "$TMP/fifo"
exits 130 "a signal ends with 130"
is "$(told failed .code)" 8 "and is code 8"
# ---- A reader that takes no more
mkfifo "$TMP/pipe"
exec 9<>"$TMP/pipe"
head -c 65536 /dev/zero >&9 # what a pipe holds
# stops_unread NAME [OPTIONS]: everything it prints goes where nobody reads it.
stops_unread() {
	timeout -s KILL 30 "$LKFLASH" write "${@:2}" "${TRUST[@]}" "$TMP/image.raw" "$TMP/unread.img" >&9 2>&1 9<&- &
	sleep 1
	kill -TERM "$(pgrep -P $!)"
	wait $!
	is "$?" 143 "a signal stops the program though nobody reads $1"
}
stops_unread "its events" --json
stops_unread "its words"

finish

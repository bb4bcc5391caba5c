#!/bin/bash
# What people see: the question, the bars of a terminal, plain lines elsewhere, and -q.
# shellcheck source-path=SCRIPTDIR/../..
. "$(dirname "$0")/../lib/tap.sh"
requires expect losetup mkswap cmp
disk='' other=''

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")
head -c 3145728 /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw"
truncate -s 8M "$TMP/disk.img" "$TMP/other.img"
mkswap -q -L olddata "$TMP/disk.img"
cp "$TMP/disk.img" "$TMP/before.img"
loop_device disk "$TMP/disk.img"
loop_device other "$TMP/other.img"

cat >"$TMP/person" <<'END'
set timeout 60
set stty_init "rows 24 columns 100"
spawn -noecho {*}[lrange $argv 1 end]
expect {
	"Erase and write?" {send "[lindex $argv 0]\r"; exp_continue}
	timeout {exit 99}
	eof
}
exit [lindex [wait] 3]
END

# on_terminal ANSWER ARGUMENT...: at a terminal of 100 columns, where ANSWER is typed to each question.
# What is on the screen ends up in $screen, with each escape as ^[.
on_terminal() {
	TERM=${terminal-xterm} expect -f "$TMP/person" -- "$1" "$LKFLASH" "${@:2}" >"$TMP/screen" </dev/null
	status=$?
	screen=$(tr -d '\r\0' <"$TMP/screen" | sed 's/\x1b/^[/g')
	out=$screen err=
}
n_questions() { grep -o 'Erase and write?' <<<"$screen" | wc -l; }
# A call that erases has to find the disk as it was.
refill() { dd if="$TMP/before.img" of="$disk" bs=1M conv=fsync status=none; }

# ---- The question
on_terminal n write "${TRUST[@]}" "$TMP/image.raw" "$disk"
exits 3 "the answer n ends with 3"
is "$(n_questions)" 1 "the question is asked once"
like "$screen" "^Erase and write\? \[y/N\] n" "with n for the answer when there is none"
like "$screen" "^This will be erased:" "it says what will happen"
like "$screen" "^  $disk: $TMP/disk.img, 8.00 MiB, loop" "to which disk, with model and size"
like "$screen" '^    on it now: swap "olddata"' "and which data"
like "$screen" "not written, for the answer was not yes; nothing was touched" "the answer is confirmed"
cmp -s "$TMP/before.img" "$disk"
ok $? "the disk is not touched"
for answer in '' maybe yesno; do
	on_terminal "$answer" write "${TRUST[@]}" "$TMP/image.raw" "$disk"
	exits 3 "so does the answer '$answer'"
done
cmp -s "$TMP/before.img" "$disk"
ok $? "and the disk is not touched"

on_terminal $'\003' write "${TRUST[@]}" "$TMP/image.raw" "$disk"
exits 130 "Ctrl-C at the question ends with 128 + SIGINT"
like "$screen" "stopped by a signal" "and says so"
cmp -s "$TMP/before.img" "$disk"
ok $? "and the disk is not touched"

on_terminal y write "${TRUST[@]}" "$TMP/image.raw" "$disk"
exits 0 "the answer y writes"
is "$(n_questions)" 1 "after one question"
cmp -s -n 3145728 "$TMP/image.raw" "$disk"
ok $? "the disk holds the image"

# ---- The bars
like "$screen" "$disk  writing +\[[#.]+\] +[0-9]+ %" "a bar is shown"
like "$screen" "$disk  reading back +\[[#.]+\] +[0-9]+ %" "also while it is read back"
like "$screen" "$disk  flushing" "flushing is shown as such"
like "$screen" "$disk: .*done.*, 100 %, 3.00 MiB in [0-9:]+: the signature holds" "the end is a line that stays"
is "$(sed 's/\x1b\[[0-9]*[A-Z]//g; s/\r//g' "$TMP/screen" | awk 'length >= 100')" "" "no line is longer than the terminal"
like "$screen" '\^\[\[32mdone' "in colour"
# Half of the image comes late, so that there is a rate to be shown.
mkfifo "$TMP/slow"
{ head -c 1572864 && sleep 1.2 && cat; } <"$TMP/image.raw" >"$TMP/slow" &
on_terminal y write "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" "$TMP/slow" "$disk"
wait $!
exits 0 "an image that comes slowly is written"
like "$screen" "$disk  writing +\[#+\.+\] +[0-9]+ % +[0-9.]+ [KM]iB of 3.00 MiB +[0-9.]+ [KM]iB/s +0:0[0-9] left" \
	"with percent, bytes, rate and time left"
NO_COLOR=1 on_terminal y write "${TRUST[@]}" "$TMP/image.raw" "$disk"
is "$(grep -c '\^\[\[3[12]m' <<<"$screen")" 0 "NO_COLOR means none"
terminal=dumb on_terminal y write "${TRUST[@]}" "$TMP/image.raw" "$disk"
exits 0 "a dumb terminal will do"
is "$(grep -c '\^\[' <<<"$screen")" 0 "and gets no escapes"

refill
on_terminal n write --yes "${TRUST[@]}" "$TMP/image.raw" "$disk"
exits 0 "--yes writes"
is "$(n_questions)" 0 "without a question"
refill
on_terminal n write -qy "${TRUST[@]}" "$TMP/image.raw" "$disk"
exits 0 "so does -qy"
is "$screen" "" "and says nothing"

# ---- An image on standard input
# The words of a command for bash.
quoted() { printf '%q ' "$@"; }
refill
PIPE="cat $(quoted "$TMP/image.raw") | $(quoted "$LKFLASH" write "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" - "$disk")"
LKFLASH=bash on_terminal n -c "$PIPE"
exits 3 "an image that comes through a pipe at a terminal is asked about, too"
is "$(n_questions)" 1 "once"
cmp -s "$TMP/before.img" "$disk"
ok $? "and the disk is not touched"
LKFLASH=bash on_terminal y -c "$PIPE"
exits 0 "the answer y writes it"
cmp -s -n 3145728 "$TMP/image.raw" "$disk"
ok $? "and the disk holds it"
refill
LKFLASH=bash on_terminal n -c "${PIPE/| /| setsid -w }"
exits 0 "without the terminal of a session nobody is asked"
is "$(n_questions)" 0 "and the command line is the answer"

# ---- Several targets
refill
on_terminal y write "${TRUST[@]}" "$TMP/image.raw" "$disk" "$TMP" "$other"
exits 7 "of three targets one is refused"
is "$(n_questions)" 1 "the others are asked about at once"
like "$screen" "lkflash: .*$TMP is a folder" "the refusal is told"
is "$(grep -cE "^  (${disk}|${other}|$TMP): " <<<"$screen")" 2 "and its target is not in the question"
like "$screen" "\^\[\[31m2 of 3 targets done; $TMP failed" "the last line counts, in red"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/image.raw" "$disk" "$other"
is "$out$err" "" "-q does not count what is all well"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$disk" "$other"
is "$(tail -n 1 <<<"$err")" "2 of 2 targets done" "the last line is for all"

# ---- Not a terminal
refill
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$disk"
exits 0 "without a terminal the command line is the answer"
is "$out" "" "nothing is said on standard output"
is "$(tr -cd '\033\r' <<<"$err" | wc -c)" 0 "and no escapes on standard error"
# A slow machine gets a line of progress after two seconds, too.
err=$(grep -vE ': (wiping|writing|reading back), ' <<<"$err")
is "${err/in [0-9]:[0-9][0-9]:/in TIME:}" "$disk: started: image 1
$disk: wiping 1.00 MiB
$disk: flushing
$disk: writing 3.00 MiB
$disk: flushing
$disk: reading back 3.00 MiB
$disk: committing 1.00 MiB
$disk: probing
$disk: done, 100 %, 3.00 MiB in TIME: the signature holds" "but plain lines"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/image.raw" "$disk"
exits 0 "-q writes"
is "$out$err" "" "and says nothing"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/image.raw" "$TMP"
exits 3 "a refusal ends with 3"
is "$err" "lkflash: target $TMP: $TMP is a folder; name a disk or a file" "and is told in spite of -q"

# ---- What is said of unsigned images
cp "$TMP/image.raw" "$TMP/unsigned.raw"
(cd "$TMP" && sha256sum unsigned.raw >SHA256SUMS)
UNSIGNED=(--allow-unsigned --board generic)
run "$LKFLASH" write "${UNSIGNED[@]}" "$TMP/unsigned.raw" "$disk"
like "$err" "started: unsigned image$" "an unsigned image is called so"
like "$err" "warning: a check is lifted: --allow-unsigned" "the lifted check is told"
like "$err" ": not signed; nothing tells whether it is the right image$" "and that nothing was held against it"
run "$LKFLASH" write "${UNSIGNED[@]}" --sums "$TMP/SHA256SUMS" "$TMP/unsigned.raw" "$disk"
like "$err" ": not signed; it matches its SHA256SUMS$" "or that its digest was"
run "$LKFLASH" plan "${UNSIGNED[@]}" --sums "$TMP/SHA256SUMS" "$TMP/unsigned.raw" "$disk"
like "$out" ", not signed, to be checked by SHA256SUMS$" "which a plan only announces"

finish

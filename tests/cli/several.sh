#!/bin/bash
# One image for several targets: read once, written everywhere, each target told of by itself; and
# --delta, which writes only what differs.
# shellcheck source-path=SCRIPTDIR/../..
. "$(dirname "$0")/../lib/tap.sh"
requires sfdisk jq cmp losetup

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")
MIB=1048576
head -c $((5 * MIB)) /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw"
holds() { cmp -s -n $((5 * MIB)) "$TMP/image.raw" "$1"; }

# told KIND FILTER: of all events of KIND.
told() { jq -sc "map(select(.event == \"$1\")) | $2" <<<"$out"; }

# ---- Several at once
truncate -s 8M "$TMP/disk"
loop_device LOOP "$TMP/disk"
truncate -s 6M "$TMP/old.img"
run "$LKFLASH" write --json "${TRUST[@]}" "$TMP/image.raw" "$LOOP" "$TMP/old.img" "$TMP/new.img"
exits 0 "three targets are written"
for target in "$TMP/disk" "$TMP/old.img" "$TMP/new.img"; do
	holds "$target"
	ok $? "${target##*/} holds the image"
done
is "$(told 'done' 'map(.target) | sort')" "$(jq -nc '$ARGS.positional | sort' --args "$LOOP" "$TMP/old.img" "$TMP/new.img")" \
	"each is told of"
is "$(told started length)" 3 "all are started"
is "$(told 'done' 'map(.written_bytes) | unique')" "[$((5 * MIB))]" "and written whole"
is "$(tail -n 1 <<<"$out" | jq -r .event)" memory "the last event is about memory"
is "$(told memory '.[0] | .buffers_bytes > 0 and .buffers_bytes <= .bound_bytes and .process_bytes > 0')" true \
	"which stayed within its bound"

mkfifo "$TMP/fifo"
cat "$TMP/image.raw" >"$TMP/fifo" &
run "$LKFLASH" write "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" "$TMP/fifo" "$TMP/p1.img" "$TMP/p2.img" "$TMP/p3.img"
exits 0 "what can be read only once is enough for three targets"
for target in "$TMP/p1.img" "$TMP/p2.img" "$TMP/p3.img"; do
	holds "$target"
	ok $? "${target##*/} holds the image"
done
is "$(tail -n 1 <<<"$err")" "3 of 3 targets done" "the last line counts them"

# ---- One fails
mkdir "$TMP/folder"
truncate -s 1M "$TMP/small.img"
rm "$TMP/new.img"
: >"$LKFLASH_STATE_DIR/journal.jsonl"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/old.img" "$TMP/folder" "$TMP/small.img" "$TMP/new.img"
exits 7 "two of four are refused"
is "$(tail -n 1 <<<"$err")" "2 of 4 targets done; $TMP/folder, $TMP/small.img failed" "the last line names them"
is "$(jq -r .target "$LKFLASH_STATE_DIR/journal.jsonl" | sort | tr '\n' ,)" "$TMP/new.img,$TMP/old.img," \
	"the journal has a line for each that was begun"

# ---- Only what differs
# delta TARGET...: write with --delta; the bytes that had to be written are $written, one a target.
delta() {
	run "$LKFLASH" write --json --delta "${TRUST[@]}" "$TMP/image.raw" "$@"
	written=$(told 'done' 'map(.written_bytes)')
}
delta "$TMP/old.img" "$LOOP"
exits 0 "targets that hold the image are written with --delta"
is "$written" "[0,0]" "but nothing of them is"
is "$(told phase 'map(.phase) | unique | index("scan") != null and index("wipe") == null')" true "they are only read"
run "$LKFLASH" write --delta "${TRUST[@]}" "$TMP/image.raw" "$TMP/old.img"
like "$err" "done, 100 %.*, nothing of it written: the signature holds" "and the line says so"

printf 'x%.0s' {1..16} | dd of="$TMP/old.img" bs=1 seek=$((3 * MIB + 5)) conv=notrunc status=none
delta "$TMP/old.img"
exits 0 "a target that differs in a place is written"
is "$written" "[$((2 * MIB))]" "in that chunk and the first, without which nothing starts meanwhile"
holds "$TMP/old.img"
ok $? "and holds the image then"

head -c $MIB /dev/zero | dd of="$TMP/disk" bs=1M conv=notrunc status=none
head -c $((2 * MIB)) /dev/zero | dd of="$TMP/disk" bs=1M seek=3 conv=notrunc status=none
delta "$LOOP"
exits 0 "a write that was cut short is finished"
is "$written" "[$((3 * MIB))]" "by writing what was missing"
holds "$TMP/disk"
ok $? "and the disk holds the image"

head -c 70000 "$TMP/image.raw" >"$TMP/small.raw"
sign_image "$TMP/small.raw"
run "$LKFLASH" write -q --delta "${TRUST[@]}" "$TMP/small.raw" "$LOOP"
exits 0 "a disk that holds a small image, and something else behind it, is left alone"
holds "$TMP/disk"
ok $? "and what is behind it stays"

delta "$TMP/fresh.img"
exits 0 "a new file is written with --delta"
is "$written" "[$((5 * MIB))]" "whole"
cp "$TMP/image.raw" "$TMP/unsigned.raw"
before=$(sha256sum <"$TMP/old.img")
run "$LKFLASH" write --delta --allow-unsigned --board generic "$TMP/unsigned.raw" "$TMP/old.img"
exits 2 "--delta of an image that nobody signed makes no sense"
like "$err" "--delta needs a signed image" "and the reason is told"
is "$(sha256sum <"$TMP/old.img")" "$before" "before anything is touched"

# ---- A table that moves to the end of a larger disk
printf 'label: gpt\nsize=2M\nsize=2M\n' >"$TMP/gpt.sfdisk"
head -c 7340032 /dev/urandom >"$TMP/gpt.raw"
sfdisk -q "$TMP/gpt.raw" <"$TMP/gpt.sfdisk" 2>/dev/null
sign_image "$TMP/gpt.raw"
delta_gpt() { run "$LKFLASH" write --json --delta "${TRUST[@]}" "$TMP/gpt.raw" "$TMP/gpt.img"; }
truncate -s 16M "$TMP/gpt.img"
delta_gpt
exits 0 "a table that moves is written with --delta"
sfdisk --verify "$TMP/gpt.img" >/dev/null 2>&1
ok $? "and is right"
delta_gpt
is "$(told 'done' 'map(.written_bytes)')" "[0]" "and is found to be right the next time"
is "$(told phase 'map(.phase) | unique | map(select(. == "write" or . == "read-back" or . == "commit"))')" "[]" \
	"without a word of writing"
dd if=/dev/zero of="$TMP/gpt.img" bs=1M count=2 conv=notrunc status=none
delta_gpt
exits 0 "a cut write of it is finished"
sfdisk --verify "$TMP/gpt.img" >/dev/null 2>&1
ok $? "with the right table"

# ---- An image that is altered on the way
cp "$TMP/image.raw" "$TMP/altered.raw"
cp "$TMP/image.raw.lkm" "$TMP/altered.raw.lkm"
printf altered | dd of="$TMP/altered.raw" bs=1 seek=$((4 * MIB)) conv=notrunc status=none
run "$LKFLASH" write --json "${TRUST[@]}" "$TMP/altered.raw" "$TMP/old.img" "$TMP/new.img"
exits 4 "a chunk that was altered is no target's fault"
is "$(grep -c 'differs from the signed index' <<<"$err")" 2 "and is told for each, on standard error too"

# ---- Plans
steps() {
	run "$LKFLASH" plan --json "${TRUST[@]}" "$TMP/image.raw" "$@"
	out=$(jq -r .step <<<"$out" | uniq | tr '\n' ,)
}
steps --delta "$LOOP"
like "$out" "^scan,wipe" "a plan of --delta begins with the scan"
steps "$LOOP"
like "$out" "^wipe," "other plans have none, and loop devices are not probed"
steps --capacity-probe always "$LOOP"
like "$out" "^capacity,wipe" "but when that is asked for"
steps --capacity-probe never "$LOOP"
like "$out" "^wipe," "or not"
run "$LKFLASH" write --capacity-probe always --retries 0 --stall-timeout 30 "${TRUST[@]}" "$TMP/image.raw" "$LOOP"
exits 0 "a good disk passes the probe"
holds "$TMP/disk"
ok $? "and is written"

finish

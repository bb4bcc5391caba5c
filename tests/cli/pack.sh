#!/bin/bash
# pack: one file that ordinary tools read, and lkflash trusts.
. "$(dirname "$0")/../lib/tap.sh"
requires jq zstd bmaptool cmp

make_keys
KEYS=(--key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" --board generic --version 1)
TRUST=(--trust "$TMP/keys/ca.pem")
cd "$TMP" || exit 1

# packs IMAGE OUT [options]
packs() { run "$LKFLASH" pack "${KEYS[@]}" --out "${@:2}" "$1"; }
chunks() { "$LKFLASH" inspect --json "$1" | jq -c ".chunks | $2"; }

# Data, a hole of several chunks, and data that ends within a chunk.
head -c 2500000 /dev/urandom >image.raw
truncate -s 8M image.raw
printf 'the end' >>image.raw

packs image.raw image.raw.zst
exits 0 "an image is packed"
is "$(chunks image.raw.zst '[.packed, .count, .data, .zero, .skip]')" "[true,9,4,5,0]" \
	"its manifest tells data from zeros"
is "$(stat -c %a image.raw.zst)" 644 "anyone may read it"
is "$(find . -name '*.zst.*' | wc -l)" 0 "no temporary file is left"

# ---- Other tools
zstd -tq image.raw.zst
ok $? "zstd -t finds nothing wrong"
zstd -dcq image.raw.zst | cmp -s - image.raw
ok $? "zstd -dc gives the whole image"
bmaptool -q copy --nobmap image.raw.zst bmaptool.out 2>/dev/null
ok $? "bmaptool copies it"
ok "$(cmp -s image.raw bmaptool.out; echo $?)" "byte for byte"

# ---- lkflash
run "$LKFLASH" verify -q "${TRUST[@]}" image.raw.zst
exits 0 "it verifies"
run "$LKFLASH" write -q --board generic "${TRUST[@]}" image.raw.zst target.img
exits 0 "it is written"
ok "$(cmp -s image.raw target.img; echo $?)" "byte for byte"
"$LKFLASH" verify -q "${TRUST[@]}" - <image.raw.zst
ok $? "it verifies from a pipe"

# A frame out of the middle, found by the index alone.
"$LKFLASH" inspect -q --extract parts image.raw.zst
number() { od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }
sections=0
for ((i = 0; i < 3; i++)); do
	sections=$((sections + 8 + $(number image.raw.zst $((sections + 4)) 4)))
done
entry=$((64 + 2 * 80))
tail -c +$((sections + $(number parts/index.bin $((entry + 8)) 8) + 1)) image.raw.zst |
	head -c "$(number parts/index.bin $((entry + 4)) 4)" | zstd -dcq >chunk
dd if=image.raw bs=1M skip=2 count=1 status=none | cmp -s - chunk
ok $? "a chunk's frame is where the index says, and stands alone"

# The seek table of the zstd seekable format: its frames are the file up to its own start.
size=$(stat -c %s image.raw.zst)
is "$(number image.raw.zst $((size - 4)) 4)" $((0x8f92eab1)) "a seek table closes the file"
n_frames=$(number image.raw.zst $((size - 9)) 4)
is "$n_frames" 12 "it counts sections and chunks"
table=$((size - 9 - 8 * n_frames))
packed=0 plain=0
for ((i = 0; i < n_frames; i++)); do
	packed=$((packed + $(number image.raw.zst $((table + 8 * i)) 4)))
	plain=$((plain + $(number image.raw.zst $((table + 8 * i + 4)) 4)))
done
is "$packed" $((table - 8)) "its frames add up to where it begins"
is "$plain" "$(stat -c %s image.raw)" "and to the size of the image"

# ---- Damage
cp image.raw.zst bad.raw.zst
printf 'X' | dd of=bad.raw.zst bs=1 seek=$((sections + 1000)) conv=notrunc status=none
run "$LKFLASH" write -q --board generic "${TRUST[@]}" bad.raw.zst bad.img
exits 4 "a changed byte in a chunk is refused"
head -c $((size - 1)) image.raw.zst >bad.raw.zst
run "$LKFLASH" verify -q "${TRUST[@]}" bad.raw.zst
exits 4 "a file that is one byte short is refused"
(cat image.raw.zst && printf 'X') >bad.raw.zst
run "$LKFLASH" verify -q "${TRUST[@]}" bad.raw.zst
exits 4 "a file that is one byte longer is refused"

# ---- Ways to pack
packs image.raw skipped.zst --holes skip
is "$(chunks skipped.zst '[.data, .zero, .skip]')" "[4,0,5]" "--holes skip leaves holes out"
zstd -dcq skipped.zst | cmp -s - image.raw
ok $? "but zstd -dc still gives the whole image"
"$LKFLASH" pack -q "${KEYS[@]}" --name piped --out piped.zst - <image.raw
ok $? "a pipe is packed"
ok "$(zstd -dcq piped.zst | cmp -s - image.raw; echo $?)" "and gives the image back"
packs image.raw.zst again.zst
exits 0 "a packed image is packed again, by another key for instance"
run "$LKFLASH" verify -q "${TRUST[@]}" again.zst
exits 0 "and verifies"
packs image.raw small.zst --level 19 --chunk-size 64K
exits 0 "--level 19 and small chunks"
is "$(chunks small.zst .count)" 129 "are as many as asked for"
SOURCE_DATE_EPOCH=1 packs image.raw one.zst
SOURCE_DATE_EPOCH=1 packs image.raw two.zst
ok "$(cmp -s one.zst two.zst; echo $?)" "the same image gives the same bytes"

# ---- A signal: the FIFO opens when lkflash reads it, and signals are watched by then
mkfifo fifo
echo old >stopped.zst
"$LKFLASH" pack -q "${KEYS[@]}" --out stopped.zst fifo 2>stopped.err &
exec 3>fifo
head -c 2000000 image.raw >&3
# Where the shell says "Killed".
{
	kill -KILL $!
	wait $!
} 2>/dev/null
exec 3>&-
is "$(cat stopped.zst)" old "killed, it leaves the file that was there"
is "$(find . -name 'stopped.zst.*' | wc -l)" 0 "and nothing beside it"

# ---- Refusals
run "$LKFLASH" pack "${KEYS[@]}" image.raw
exits 2 "pack needs --out"
packs image.raw image.raw
exits 2 "the image is not replaced"
packs image.raw x.zst --level 20
exits 2 "a level that zstd does not have is refused"
packs image.raw /dev/null/x.zst
exits 1 "a place that cannot be written is an error"
: >empty.raw
packs empty.raw x.zst
exits 2 "an empty image is refused"
run "$LKFLASH" sign "${KEYS[@]}" image.raw.zst
exits 2 "a packed image is not signed beside itself"
packs image.raw x.zst --trust /dev/null
exits 2 "a file without a CA cannot be trusted"
echo old >kept.zst
packs missing.raw kept.zst
exits 1 "an image that is not there is an error"
is "$(cat kept.zst)" old "and the file that was there stays"

finish

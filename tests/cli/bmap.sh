#!/bin/bash
# Block maps: those of bmaptool are read, those of lkflash are read by bmaptool.
. "$(dirname "$0")/../lib/tap.sh"
requires bmaptool jq cmp xz

make_keys
KEYS=(--key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" --board generic --version 1)
cd "$TMP" || exit 1

# signs IMAGE [options]
signs() { run "$LKFLASH" sign "${KEYS[@]}" "${@:2}" "$1"; }
kinds() { "$LKFLASH" inspect --json "$1" | jq -c '.chunks | [.data, .zero, .skip]'; }

# Chunk 0 and the last, partial one hold data, and chunk 2 one block.
head -c 700000 /dev/urandom >image.raw
truncate -s 5M image.raw
head -c 4096 /dev/urandom | dd of=image.raw bs=4096 seek=600 conv=notrunc status=none
head -c 5000 /dev/urandom >>image.raw
bmaptool -q create image.raw -o theirs.bmap 2>/dev/null
cp --sparse=never image.raw dense.raw

# ---- Theirs
signs dense.raw --bmap theirs.bmap
exits 0 "an image that is what its block map says is signed"
is "$(kinds dense.raw)" "[3,3,0]" "unmapped chunks read as zeros"
signs dense.raw --bmap theirs.bmap --holes skip
is "$(kinds dense.raw)" "[3,0,3]" "or are left out"
xz -qk dense.raw
signs dense.raw.xz --bmap theirs.bmap --holes skip
is "$(kinds dense.raw.xz)" "[3,0,3]" "of a compressed image as well"

cp dense.raw altered.raw
printf 'X' | dd of=altered.raw bs=1 seek=1000 conv=notrunc status=none
signs altered.raw --bmap theirs.bmap
exits 4 "an image that differs from its block map is refused"
like "$err" "differ from the block map" "and the error says so"
ok "$([ ! -e altered.raw.lkm ]; echo $?)" "and nothing is written"
head -c 5000000 dense.raw >short.raw
signs short.raw --bmap theirs.bmap
exits 4 "an image of another size is refused"
sed 's/<BlocksCount> /&1/' theirs.bmap >bad.bmap
signs dense.raw --bmap bad.bmap
exits 4 "a block map that was changed is refused"
like "$err" "bad.bmap" "and named"
signs dense.raw --bmap missing.bmap
exits 1 "a block map that is not there is an error"

run "$LKFLASH" write -q --board generic --allow-unsigned --bmap theirs.bmap dense.raw unsigned.img
exits 0 "an unsigned image is written by its block map"
run "$LKFLASH" write -q --board generic --allow-unsigned --bmap theirs.bmap altered.raw altered.img
exits 4 "and refused when it differs"

# ---- Ours
signs image.raw --write-bmap ours.bmap
exits 0 "a block map is written"
like "$(cat ours.bmap)" '<bmap version="2.0">' "of version 2.0"
is "$(grep -o '<Range.*' ours.bmap)" "$(grep -o '<Range.*' theirs.bmap)" \
	"with the ranges and digests that bmaptool finds"
bmaptool -q copy --bmap ours.bmap image.raw copy.raw 2>/dev/null
ok $? "bmaptool copies by it"
ok "$(cmp -s image.raw copy.raw; echo $?)" "the whole image"
bmaptool -q copy --bmap ours.bmap altered.raw altered.copy 2>/dev/null
is "$((!$?))" 0 "and finds an altered image by it"
signs dense.raw --bmap ours.bmap --holes skip
is "$(kinds dense.raw)" "[3,0,3]" "lkflash reads it as well"

signs dense.raw.xz --write-bmap whole.bmap
is "$(grep -c '<Range' whole.bmap)" 1 "an image without holes to be seen is one range"
bmaptool -q copy --bmap whole.bmap dense.raw.xz copy2.raw 2>/dev/null
ok $? "by which bmaptool copies"
ok "$(cmp -s image.raw copy2.raw; echo $?)" "the whole image"
run "$LKFLASH" pack -q "${KEYS[@]}" --write-bmap packed.bmap --out image.raw.zst image.raw
exits 0 "pack writes a block map, too"
ok "$(cmp -s packed.bmap ours.bmap; echo $?)" "the same one"
bmaptool -q copy --bmap packed.bmap image.raw.zst copy3.raw 2>/dev/null
ok $? "by which bmaptool copies the packed image"
ok "$(cmp -s image.raw copy3.raw; echo $?)" "byte for byte"
truncate -s 3M hole.raw
signs hole.raw --write-bmap hole.bmap
is "$(grep -c '<Range' hole.bmap)" 0 "an image of one hole has no ranges"
bmaptool -q copy --bmap hole.bmap hole.raw hole.copy 2>/dev/null
ok $? "which suits bmaptool"
signs image.raw --write-bmap /dev/null/x.bmap
exits 1 "a place that cannot be written is an error"
signs image.raw --write-bmap image.raw
exits 2 "the image is not replaced"

finish

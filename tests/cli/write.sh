#!/bin/bash
# The main job on files and loop devices: what is written, what is kept, what is refused.
. "$(dirname "$0")/../lib/tap.sh"
requires losetup cmp sfdisk openssl mkfs.ext4

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")

# An image with a partition table and 5 bytes behind its third chunk.
make_image() {
	head -c 3145733 /dev/urandom >"$1"
	printf 'label: dos\nstart=2048, size=2048, type=c, bootable\n' |
		sfdisk -q --no-reread --no-tell-kernel "$1" 2>/dev/null
}
make_image "$TMP/image.raw"
sign_image "$TMP/image.raw"

# ---- Regular files
run "$LKFLASH" --board generic "${TRUST[@]}" "$TMP/image.raw" "$TMP/new.img"
exits 0 "write is the verb when none is given"
cmp -s "$TMP/image.raw" "$TMP/new.img"
ok $? "a file that was not there is created as the image is"

head -c 8388608 /dev/zero | tr '\0' '\356' >"$TMP/old.img"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/old.img"
exits 0 "without --board the manifest's only board is taken"
is "$(stat -c %s "$TMP/old.img")" 8388608 "a file that was there keeps its size"
cmp -s -n 3145733 "$TMP/image.raw" "$TMP/old.img"
ok $? "and holds the image"
is "$(tail -c 1 "$TMP/old.img" | od -An -tx1 | tr -d ' ')" ee "and what was behind the image"

head -c 3145732 /dev/zero >"$TMP/small.img"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/small.img"
exits 3 "a target one byte too small is refused"
like "$err" "3145733" "and the size that is needed is named"
cmp -s "$TMP/small.img" <(head -c 3145732 /dev/zero)
ok $? "and not touched"

mkdir "$TMP/folder"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/folder"
exits 3 "a folder is refused"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" /dev/null
exits 3 "a character device is refused"

# ---- Trust
run "$LKFLASH" write "$TMP/image.raw" "$TMP/untrusted.img"
exits 4 "without a trusted CA nothing is written"
like "$err" "--trust" "and the way out is named"
[ ! -e "$TMP/untrusted.img" ]
ok $? "not even an empty file"

cp "$TMP/image.raw" "$TMP/bare.raw"
run "$LKFLASH" write --board generic "${TRUST[@]}" "$TMP/bare.raw" "$TMP/bare.img"
exits 4 "an unsigned image is refused"
like "$err" "--allow-unsigned" "and the flag that accepts it is named"
run "$LKFLASH" write --board generic --allow-unsigned --json "$TMP/bare.raw" "$TMP/bare.img"
exits 0 "an unsigned image is written when that is allowed"
like "$out" '"event":"override".*--allow-unsigned' "and the events say so"
like "$out" '"event":"done".*"text":"none"' "and which guarantee held"

run "$LKFLASH" write --board rpi4 "${TRUST[@]}" "$TMP/image.raw" "$TMP/x.img"
exits 3 "an image for another board is refused"
run "$LKFLASH" write --board nosuch "${TRUST[@]}" "$TMP/image.raw" "$TMP/x.img"
exits 3 "a board that the manifest does not name is refused before it is looked up"

# ---- Security versions
cp "$TMP/image.raw" "$TMP/older.raw"
head -c 3145733 /dev/urandom >"$TMP/newer.raw"
sign_image "$TMP/newer.raw" --rollback-group gw --security-version 5
sign_image "$TMP/older.raw" --rollback-group gw --security-version 4
run "$LKFLASH" write "${TRUST[@]}" "$TMP/newer.raw" "$TMP/small.img"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/older.raw" "$TMP/version.img"
exits 0 "an image that was refused raises no floor"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/newer.raw" "$TMP/version.img"
exits 0 "a newer security version is written"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/older.raw" "$TMP/version.img"
exits 3 "and from then on an older one is refused"
like "$err" "version 4 of gw is below 5" "and both are named"
cmp -s "$TMP/newer.raw" "$TMP/version.img"
ok $? "and the newer one stays"

mkdir "$TMP/early"
head -c 2000000 "$TMP/image.raw" >"$TMP/early/image.raw"
cp "$TMP/image.raw.lkm" "$TMP/early/"
before=$(sha256sum <"$TMP/old.img")
run "$LKFLASH" write "${TRUST[@]}" "$TMP/early/image.raw" "$TMP/old.img"
exits 4 "a raw image that is shorter than signed is refused"
like "$err" "2000000 bytes, but 3145733 were signed" "with both sizes"
is "$(sha256sum <"$TMP/old.img")" "$before" "before anything is touched"

printf 'x' | dd of="$TMP/image.raw" bs=1 seek=3000000 conv=notrunc status=none
cp "$TMP/image.raw" "$TMP/altered"
run "$LKFLASH" write "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" "$TMP/altered" "$TMP/alt.img"
exits 4 "an altered image is refused"
like "$err" "get the image again" "and the advice is not to try the same again"
cp "$TMP/old.img" "$TMP/image.raw"
truncate -s 3145733 "$TMP/image.raw"

# ---- The state folder
run "$LKFLASH" write "${TRUST[@]}" --state-dir /proc/none "$TMP/image.raw" "$TMP/stateless.img"
exits 1 "a state folder that cannot be made is told"
like "$err" "--state-dir" "with the way out"
[ ! -e "$TMP/stateless.img" ]
ok $? "before anything is written"

# ---- Standard input and two targets
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/a.img" "$TMP/a.img"
exits 2 "a target named twice is a slip"
like "$err" "named twice" "and told as such"
ln -s old.img "$TMP/soft.img"
ln "$TMP/old.img" "$TMP/hard.img"
before=$(sha256sum <"$TMP/old.img")
for other in "$TMP/soft.img" "$TMP/hard.img" "$TMP/./old.img"; do
	run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/none.img" "$TMP/old.img" "$other"
	exits 2 "so is ${other##*/}, another name of the same file"
	like "$err" "targets $TMP/old.img and $other are the same file" "both are named"
done
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/none.img" "$TMP/folder/../none.img"
exits 2 "and so are two names of a file that is not there"
is "$(sha256sum <"$TMP/old.img")" "$before" "nothing is touched"
[ ! -e "$TMP/none.img" ]
ok $? "and no file is made"
run bash -c '"$0" write "${@:2}" --manifest "$1.lkm" - "$1.img" <"$1"' "$LKFLASH" \
	"$TMP/image.raw" "${TRUST[@]}"
exits 0 "an image comes from standard input with its manifest beside"
cmp -s "$TMP/image.raw" "$TMP/image.raw.img"
ok $? "and is written whole"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/a.img" "$TMP/folder" "$TMP/b.img"
exits 7 "when one of several targets fails the status tells"
cmp -s "$TMP/image.raw" "$TMP/b.img"
ok $? "and the others are written"

# ---- Verifying what is there
run "$LKFLASH" verify "${TRUST[@]}" "$TMP/"$'no\033[2Jsuch'
like "$err" "no\\?\\[2Jsuch: No such file" "an error cannot steer the terminal"
run "$LKFLASH" verify "${TRUST[@]}" "$TMP/image.raw"
exits 0 "an image is verified by itself"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/image.raw" "$TMP/old.img"
exits 0 "what was written is verified against the image"
printf 'x' | dd of="$TMP/old.img" bs=1 seek=2000000 conv=notrunc status=none
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/image.raw" "$TMP/old.img"
exits 5 "one byte that was changed is found"
like "$err" "byte 2000000" "and named"

# ---- Plan
before=$(sha256sum <"$TMP/old.img")
run "$LKFLASH" plan "${TRUST[@]}" "$TMP/image.raw" "$TMP/old.img"
exits 0 "plan prints the steps"
like "$out" "commit" "down to the commit"
is "$(sha256sum <"$TMP/old.img")" "$before" "and touches nothing"
run "$LKFLASH" plan "${TRUST[@]}" "$TMP/image.raw" "$TMP/none.img"
exits 0 "plan shows what would become of a new file"
[ ! -e "$TMP/none.img" ]
ok $? "and does not create it"
run "$LKFLASH" plan "${TRUST[@]}" "$TMP/image.raw" "$TMP/none.img" "$TMP/old.img"
exits 0 "plan takes as many targets as write does"
is "$(grep -c '^target ' <<<"$out")" 2 "and shows each"
cp "$TMP/old.img" "$TMP/labelled.img"
mkfs.ext4 -q -F "$TMP/labelled.img"
run "$LKFLASH" plan "${TRUST[@]}" "$TMP/image.raw" "$TMP/labelled.img"
like "$out" "on it now: ext4" "plan shows what is on a file"

# ---- Loop devices
truncate -s 16M "$TMP/disk"
loop_device LOOP "$TMP/disk"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$LOOP"
exits 0 "a block device is written"
ln -s "$LOOP" "$TMP/link"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$LOOP" "$TMP/link"
exits 2 "but not under two names"
like "$err" "are the same disk" "with the reason"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$TMP/disk" "$LOOP"
exits 2 "nor together with the file that a loop device is on"
like "$err" "a loop device and its file" "with the reason"
run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/image.raw" "$LOOP"
cmp -s -n 3145733 "$TMP/image.raw" "$TMP/disk"
ok $? "through to its backing file"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/image.raw" "$LOOP"
exits 0 "and verified"

truncate -s 16M "$TMP/disk4k"
loop_device LOOP4K "$TMP/disk4k" --sector-size 4096
run "$LKFLASH" write "${TRUST[@]}" "$TMP/image.raw" "$LOOP4K"
exits 3 "an image for 512-byte sectors is refused on a device with 4096"
like "$err" "4096" "and both sizes are named"

# ---- A table whose last partition passes the end of the image, as in images that were cut to what
# is used
truncate -s 8M "$TMP/cut.raw"
printf 'label: dos\nstart=2048, size=14336, type=c, bootable\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/cut.raw" 2>/dev/null
truncate -s 3M "$TMP/cut.raw"
sign_image "$TMP/cut.raw" --board x86-bios
run "$LKFLASH" write --board x86-bios "${TRUST[@]}" "$TMP/cut.raw" "$LOOP"
exits 0 "a cut image is written to a disk that holds all its partitions"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/cut.raw" "$LOOP"
exits 0 "and verified there"
run "$LKFLASH" write --board x86-bios "${TRUST[@]}" "$TMP/cut.raw" "$TMP/cut.img"
exits 4 "and refused for a target that does not, when the board wants a table"
run "$LKFLASH" write --board generic "${TRUST[@]}" "$TMP/cut.raw" "$TMP/cut.img"
exits 0 "but not when no layout is expected"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/cut.raw" "$TMP/cut.img"
exits 0 "nor when it is verified"

# ---- A backup GPT moves to the end of a larger disk
truncate -s 4M "$TMP/gpt.raw"
printf 'label: gpt\nstart=2048, size=2048, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n' |
	sfdisk -q --no-reread --no-tell-kernel "$TMP/gpt.raw" 2>/dev/null
sign_image "$TMP/gpt.raw"
run "$LKFLASH" write "${TRUST[@]}" "$TMP/gpt.raw" "$LOOP"
exits 0 "a GPT image is written to a larger disk"
verdict=$(sfdisk --verify "$TMP/disk" 2>&1)
like "$verdict" "No errors detected" "and its GPT is whole there"
is "$(sfdisk -d "$TMP/disk" | sed -n 's/^last-lba: //p')" $((16 * 2048 - 34)) \
	"with its backup at the real end"
run "$LKFLASH" verify "${TRUST[@]}" --image "$TMP/gpt.raw" "$LOOP"
exits 0 "and verify knows that it moved"
for extra in 1 20 33 34; do
	truncate -s $((4 * 1048576 + extra * 512)) "$TMP/larger.$extra"
	run "$LKFLASH" write -q "${TRUST[@]}" "$TMP/gpt.raw" "$TMP/larger.$extra"
	exits 0 "a disk $extra sectors larger is written"
	like "$(sfdisk --verify "$TMP/larger.$extra" 2>&1)" "No errors detected" "and has a whole GPT"
done

finish

#!/bin/bash
# sign: what is written, what goes into the manifest, what is refused, and signing elsewhere.
. "$(dirname "$0")/../lib/tap.sh"
requires openssl jq sfdisk xz zstd

make_keys
KEYS=(--key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem")
SAYS=(--board rpi4 --version 1.2)
TRUST=(--trust "$TMP/keys/ca.pem")
OID=2.25.329221980177683935891885850895071942502
cd "$TMP" || exit 1

# manifest FILE [FILTER]: the manifest's JSON, or a part of it.
manifest() { "$LKFLASH" inspect --json "$1" | jq -rc ".manifest | ${2:-.}"; }
# signs IMAGE [options]
signs() { run "$LKFLASH" sign "${KEYS[@]}" "${SAYS[@]}" "${@:2}" "$1"; }

head -c 3000000 /dev/urandom >data
truncate -s 5M sparse.raw
dd if=data of=sparse.raw conv=notrunc bs=100000 count=1 status=none
cp data image.raw
sum=$(sha256sum <image.raw)

# ---- What is written
signs image.raw
exits 0 "an image is signed"
like "$err" "signed manifest in image.raw.lkm" "and where the manifest went is told"
is "$(sha256sum <image.raw)" "$sum" "the image stays as it is"
is "$(stat -c %a image.raw.lkm)" 644 "anyone may read the manifest"
run "$LKFLASH" verify -q "${TRUST[@]}" image.raw
exits 0 "it verifies"
is "$(manifest image.raw .image.sha256)" "${sum%% *}" "the manifest has the image's digest"
is "$(manifest image.raw .image.size)" 3000000 "and its size"
is "$(manifest image.raw .boards)" '["rpi4"]' "and its board"
is "$(manifest image.raw .version)" 1.2 "and its version"
is "$(manifest image.raw .name)" image "and a name from the file's"
find . -name 'image.raw.lkm.*' | grep -q .
is $? 1 "no temporary file is left"

dd if=image.raw bs=1M skip=1 count=1 status=none | sha256sum | cut -d' ' -f1 >wanted
run "$LKFLASH" inspect -q --extract parts image.raw
dd if=parts/index.bin bs=1 skip=$((64 + 80 + 16)) count=32 status=none | od -An -v -tx1 | tr -d ' \n' >got
is "$(cat got)" "$(cat wanted)" "a chunk's digest is what dd and sha256sum say"

signs image.raw --name gw-os --security-version 7 --rollback-group gw --board acme-1 --out other.lkm
exits 0 "an image is signed for two boards, with a security version"
is "$(manifest other.lkm .name)" gw-os "the name is the one given"
is "$(manifest other.lkm .boards)" '["rpi4","acme-1"]' "both boards are named"
is "$(manifest other.lkm '[.security_version, .rollback_group]')" '[7,"gw"]' "so is the floor"

SOURCE_DATE_EPOCH=1700000000 signs image.raw --out a.lkm
SOURCE_DATE_EPOCH=1700000000 signs image.raw --out b.lkm
is "$(manifest a.lkm .build_time)" 1700000000 "SOURCE_DATE_EPOCH is the build time"
ok "$(cmp -s a.lkm b.lkm; echo $?)" "and then the same image gives the same bytes"

run "$LKFLASH" sign "${KEYS[@]}" "${SAYS[@]}" --name n --out piped.lkm -
exits 2 "an empty pipe is refused"
"$LKFLASH" sign -q "${KEYS[@]}" "${SAYS[@]}" --name n --out piped.lkm - <image.raw
ok $? "a pipe is signed"
is "$(manifest piped.lkm .image.sha256)" "${sum%% *}" "with the digest of what came through"

xz -qk image.raw
zstd -qk image.raw
for packed in image.raw.xz image.raw.zst; do
	signs $packed
	is "$(manifest $packed .image.sha256)" "${sum%% *}" "$packed: the digests are of what is in it"
	run "$LKFLASH" verify -q "${TRUST[@]}" $packed
	exits 0 "$packed: it verifies"
done

signs image.raw --chunk-size 64K
is "$("$LKFLASH" inspect --json image.raw | jq -r .chunks.count)" 46 "--chunk-size 64K makes smaller chunks"

run "$LKFLASH" sign "${KEYS[@]}" "${SAYS[@]}" --json image.raw
like "$(tail -n 1 <<<"$out")" '"event":"done"' "--json tells when it is done"
run "$LKFLASH" sign "${KEYS[@]}" "${SAYS[@]}" -q image.raw
is "$out$err" "" "-q says nothing"

# ---- Zeros and holes
signs sparse.raw
is "$("$LKFLASH" inspect --json sparse.raw | jq -c '.chunks | [.data, .zero, .skip]')" "[1,4,0]" \
	"holes read as zeros"
signs sparse.raw --board generic
cp --sparse=always sparse.raw altered.raw
printf X | dd of=altered.raw bs=1 seek=$((2 << 20)) conv=notrunc status=none
run "$LKFLASH" verify -q "${TRUST[@]}" --manifest sparse.raw.lkm altered.raw
exits 4 "an image that is altered where zeros were signed does not verify"
like "$err" "chunk 2 at byte 2097152 should be zeros" "says the error"
run "$LKFLASH" write -q "${TRUST[@]}" --board generic --manifest sparse.raw.lkm altered.raw zeros.img
exits 0 "and gives zeros when it is written"
is "$(cmp sparse.raw zeros.img 2>&1)" "" "as they were signed"
signs sparse.raw --holes skip
is "$("$LKFLASH" inspect --json sparse.raw | jq -c '.chunks | [.data, .zero, .skip]')" "[1,0,4]" \
	"--holes skip leaves them out"
cp --sparse=never sparse.raw dense.raw
signs dense.raw --holes skip
is "$("$LKFLASH" inspect --json dense.raw | jq -c '.chunks | [.data, .zero, .skip]')" "[1,4,0]" \
	"zeros that were written are no holes"
xz -qk sparse.raw
signs sparse.raw.xz --holes skip
exits 2 "holes of a compressed image cannot be skipped"
like "$err" "give --bmap FILE" "without a block map, says the error"

# ---- Partitions and sectors
truncate -s 16M gpt.raw
printf 'label: gpt\nsize=4M, name="EFI System"\nsize=4M\nsize=4M, name=root-a\n' | sfdisk -q gpt.raw
signs gpt.raw
is "$(manifest gpt.raw '.partitions | map([.name, .start, .size])')" \
	'[["EFI-System",1048576,4194304],["p2",5242880,4194304],["root-a",9437184,4194304]]' \
	"the partitions of the image are named"
is "$(manifest gpt.raw .image.sector)" 512 "and its sector size"
signs gpt.raw --sector 4096
exits 2 "a GPT for other sectors is refused"
like "$err" "GPT made for sectors of 512 bytes" "and the error tells why"
signs image.raw --sector 4096
is "$(manifest image.raw .image.sector)" 4096 "an image without a table takes the sector size given"
truncate -s 8M mbr.raw
printf 'label: dos\nstart=2048, size=8192, type=c\n' | sfdisk -q mbr.raw
truncate -s 2M mbr.raw
signs mbr.raw
exits 0 "an image whose table does not fit it is signed"
like "$err" "note: the manifest names no partitions" "and a note tells that none are named"
is "$(manifest mbr.raw .partitions)" '[]' "none of them"

# ---- Two keys
"$LKFLASH" keygen --out keys2 -q
signs image.raw --key keys2/sign.key --cert keys2/sign.pem
exits 0 "two keys sign"
run "$LKFLASH" inspect "${TRUST[@]}" --trust keys2/ca.pem --threshold 2 image.raw
exits 0 "and both are found"
signs image.raw --trust keys2/ca.pem --out distrusted.lkm
exits 4 "with --trust, a signature nobody trusts is not written"
ok "$([ ! -e distrusted.lkm ]; echo $?)" "not at all"
signs image.raw --threshold 2
exits 2 "a threshold without --trust is refused"
signs image.raw "${TRUST[@]}"
exits 0 "with --trust, a signature that is trusted is written"

# ---- Elsewhere
run "$LKFLASH" sign "${SAYS[@]}" --manifest-only m.json image.raw
exits 0 "--manifest-only needs no key"
jq -e '."lkflash-manifest" == 1' m.json >/dev/null
ok $? "and writes the manifest"
openssl cms -sign -binary -nosmimecap -md sha256 -outform DER -econtent_type $OID -in m.json \
	-signer keys/sign.pem -inkey keys/sign.key -out m.p7s
ok $? "openssl signs it"
rm -f image.raw.lkm
run "$LKFLASH" sign --attach m.p7s --manifest m.json "${TRUST[@]}" image.raw
exits 0 "the signature is attached"
run "$LKFLASH" verify -q "${TRUST[@]}" image.raw
exits 0 "and the image verifies"
"$LKFLASH" inspect -q --extract parts image.raw
ok "$(cmp -s parts/manifest.json m.json && cmp -s parts/signature.p7s m.p7s; echo $?)" \
	"manifest and signature are in it byte for byte"
run "$LKFLASH" sign --attach m.p7s --manifest m.json image.raw
exits 0 "without --trust the certificate it carries must do"

rm -f image.raw.lkm
sed 's/1\.2/1.3/' m.json >m13.json
run "$LKFLASH" sign --attach m.p7s --manifest m13.json image.raw
exits 4 "a signature over another manifest is refused"
run "$LKFLASH" sign --attach m.p7s --manifest m.json --trust keys2/ca.pem image.raw
exits 4 "one that is not trusted is refused"
run "$LKFLASH" sign --attach m.p7s --manifest m.json gpt.raw
exits 4 "another image is refused"
like "$err" "about another image" "and the error tells why"
run "$LKFLASH" sign --attach m.p7s --manifest m.json --chunk-size 64K image.raw
exits 4 "other chunks are refused"
like "$err" "give the same options" "and the error tells what to do"
openssl cms -sign -binary -nosmimecap -md sha256 -outform DER -in m.json \
	-signer keys/sign.pem -inkey keys/sign.key -out data.p7s
run "$LKFLASH" sign --attach data.p7s --manifest m.json image.raw
exits 4 "a signature over ordinary data is refused"
openssl cms -sign -binary -nosmimecap -md sha256 -outform DER -econtent_type $OID -in m.json \
	-nocerts -signer keys/sign.pem -inkey keys/sign.key -out bare.p7s
run "$LKFLASH" sign --attach bare.p7s --manifest m.json image.raw
exits 4 "a signature without its certificate is refused"
ok "$([ ! -e image.raw.lkm ]; echo $?)" "and nothing was written for any of them"

# ---- A signal: the FIFO opens when lkflash reads it, and signals are watched by then
mkfifo fifo
"$LKFLASH" sign -q "${KEYS[@]}" "${SAYS[@]}" --out stopped.lkm fifo 2>stopped.err &
exec 3>fifo
head -c 2000000 image.raw >&3
kill -TERM $!
wait $!
is $? 143 "SIGTERM stops it"
exec 3>&-
like "$(cat stopped.err)" "stopped by a signal" "it says so"
is "$(find . -name 'stopped.lkm*' | wc -l)" 0 "and leaves nothing behind"

# ---- What is asked wrongly
run "$LKFLASH" sign "${SAYS[@]}" image.raw
exits 2 "signing needs a key"
like "$err" "lkflash keygen" "and the error tells who makes one"
run "$LKFLASH" sign --key keys/sign.key "${SAYS[@]}" image.raw
exits 2 "a key without a certificate is refused"
run "$LKFLASH" sign --key keys2/sign.key --cert keys/sign.pem "${SAYS[@]}" image.raw
exits 2 "a certificate of another key is refused"
run "$LKFLASH" sign "${KEYS[@]}" --version 1 image.raw
exits 2 "signing needs a board"
run "$LKFLASH" sign "${KEYS[@]}" --board rpi4 image.raw
exits 2 "signing needs a version"
run "$LKFLASH" sign "${KEYS[@]}" --board "rpi 4" --version 1 image.raw
exits 2 "a board that is no name is refused"
signs image.raw --security-version 3
exits 2 "a security version needs a group"
signs image.raw --chunk-size 100000
exits 2 "chunks of an odd size are refused"
signs image.raw --sector 1024
exits 2 "sectors of an odd size are refused"
signs image.raw --manifest-only m.json
exits 2 "--manifest-only takes no key"
run "$LKFLASH" sign --attach m.p7s image.raw
exits 2 "--attach needs --manifest"
run "$LKFLASH" sign --attach m.p7s --manifest m.json --board rpi4 image.raw
exits 2 "--attach takes no board"
run "$LKFLASH" sign --attach m.p7s --manifest m.json --manifest-only x.json image.raw
exits 2 "--attach and --manifest-only do not go together"
signs image.raw --out image.raw
exits 2 "the image is not replaced"
is "$(sha256sum <image.raw)" "$sum" "and is as it was"
SOURCE_DATE_EPOCH=tomorrow signs image.raw
exits 2 "a SOURCE_DATE_EPOCH that is no number is refused"
: >empty.raw
signs empty.raw
exits 2 "an empty image is refused"
signs missing.raw
exits 1 "an image that is not there is an error"
head -c 1000 image.raw.xz >cut.xz
signs cut.xz
exits 4 "a compressed image that is cut short is refused"
signs image.raw --out /dev/null/x.lkm
exits 1 "a place that cannot be written is an error"

finish

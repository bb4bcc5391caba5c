#!/bin/bash
# inspect: what it prints, what it extracts, and that it never passes for a check.
. "$(dirname "$0")/../lib/tap.sh"
requires openssl jq cmp

make_keys
cd "$TMP" || exit 1
head -c 1500000 /dev/urandom >image.raw
SOURCE_DATE_EPOCH=1700000000 sign_image image.raw --board rpi4 --name acme-gw --rollback-group gw \
	--security-version 7

run "$LKFLASH" inspect image.raw
exits 0 "the manifest beside an image is found"
like "$out" "^image +acme-gw 1$" "name and version"
like "$out" "^boards +generic rpi4$" "boards"
like "$out" "^built +2023-11-14 22:13:20 UTC$" "build time"
like "$out" "^rollback +security version 7 of gw$" "security version"
like "$out" "^size +1500000 bytes \(1.43 MiB\)$" "size"
like "$out" "^sha256 +$(sha256sum <image.raw | cut -d' ' -f1)$" "digest"
like "$out" "^chunks +2 of 1.00 MiB, beside this file: 2 data" "chunks"
like "$out" "^signature +not checked; use .lkflash verify., or give --trust FILE$" \
	"that the signature was not checked is said"
is "$err" "" "nothing else is said"

run "$LKFLASH" inspect image.raw.lkm
exits 0 "so is the manifest itself"
"$LKFLASH" inspect - <image.raw.lkm | grep -q acme-gw
ok $? "from a pipe as well"

run "$LKFLASH" inspect --trust keys/ca.pem image.raw
like "$out" "^signature +trusted, by CN=" "with --trust the signer is named"
"$LKFLASH" keygen -q --out other
run "$LKFLASH" inspect --trust other/ca.pem image.raw
exits 4 "with another CA it is refused"
is "$out" "" "and nothing is printed"
run "$LKFLASH" inspect --trust keys/ca.pem --threshold 2 image.raw
exits 4 "with a threshold it does not reach, too"

run "$LKFLASH" inspect --threshold 2 image.raw
exits 2 "a threshold that would be held against nothing is refused"
like "$err" "give --trust FILE" "and what it needs is said"
run "$LKFLASH" inspect --crl missing.crl image.raw
exits 2 "so is a revocation list"
run "$LKFLASH" inspect --trust other/ca.pem --extract distrusted image.raw
exits 4 "what is not trusted is refused when it is extracted, too"
ok "$([ ! -e distrusted ]; echo $?)" "and not extracted"

run "$LKFLASH" inspect --json image.raw
is "$(jq -r '.event, .signature, .manifest.name, .chunks.data' <<<"$out" | tr '\n' ' ')" \
	"inspect not checked acme-gw 2 " "--json is for programs"
run "$LKFLASH" inspect --json --trust keys/ca.pem image.raw
is "$(jq -r '.signature, (.signers | length)' <<<"$out" | tr '\n' ' ')" "trusted 1 " \
	"and says when the signature was checked"

# ---- Parts, for openssl
run "$LKFLASH" inspect --extract parts image.raw
exits 0 "the parts are extracted"
openssl cms -verify -binary -inform DER -in parts/signature.p7s -content parts/manifest.json \
	-CAfile keys/ca.pem -purpose any -out /dev/null 2>/dev/null
ok $? "openssl verifies them"
is "$(sha256sum <parts/index.bin | cut -d' ' -f1)" "$(jq -r .index.sha256 parts/manifest.json)" \
	"the index is the one of the manifest"
sed -i 's/acme-gw/acme-gx/' parts/manifest.json
openssl cms -verify -binary -inform DER -in parts/signature.p7s -content parts/manifest.json \
	-CAfile keys/ca.pem -purpose any -out /dev/null 2>/dev/null
is "$((!$?))" 0 "and not when a byte is changed"
run "$LKFLASH" inspect -q image.raw
is "$out" "" "-q prints nothing"

# ---- Files that are none
run "$LKFLASH" inspect missing.raw
exits 1 "a file that is not there is an error"
cp image.raw bare.raw
run "$LKFLASH" inspect bare.raw
exits 1 "an image without a manifest is an error"
like "$err" "nor is there one beside it" "and the error tells where was looked"
run "$LKFLASH" inspect - <bare.raw
exits 4 "a pipe that begins with something else is refused"
size=$(stat -c %s image.raw.lkm)
head -c $((size - 1)) image.raw.lkm >cut.lkm
run "$LKFLASH" inspect cut.lkm
exits 4 "a manifest that is cut short is refused"
cp image.raw.lkm bad.lkm
printf 'X' | dd of=bad.lkm bs=1 seek=$((size - 1)) conv=notrunc status=none
run "$LKFLASH" inspect bad.lkm
exits 4 "an index that is not the manifest's is refused"
run "$LKFLASH" inspect --extract /dev/null/parts image.raw
exits 1 "a folder that cannot be made is an error"

finish

#!/bin/bash
# Odd signatures under a good image: each is refused for its reason and nothing is written. openssl
# and lkflash accept what the other signs.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
requires openssl perl cmp

OID=2.25.329221980177683935891885850895071942502
pki=$TMP/pki
head -c 3145733 /dev/urandom >"$TMP/image.raw"
mkdir "$pki"

# ---- openssl and we
sign_image "$TMP/image.raw"
run "$LKFLASH" inspect --extract "$TMP/parts" "$TMP/image.raw"
exits 0 "inspect --extract writes the parts for openssl"
run openssl cms -verify -binary -inform DER -in "$TMP/parts/signature.p7s" -content \
	"$TMP/parts/manifest.json" -CAfile "$TMP/keys/ca.pem" -purpose any -out /dev/null
exits 0 "openssl accepts what lkflash signs"
like "$(openssl cms -cmsout -print -inform DER -in "$TMP/parts/signature.p7s")" \
	"eContentType: undefined \($OID\)" "and finds our type of content in it"

run "$LKFLASH" sign --board generic --version 2 --manifest-only "$TMP/m.json" -q "$TMP/image.raw"
exits 0 "sign --manifest-only"
run openssl cms -sign -binary -nosmimecap -md sha256 -outform DER -econtent_type $OID \
	-in "$TMP/m.json" -signer "$TMP/keys/sign.pem" -inkey "$TMP/keys/sign.key" -out "$TMP/m.p7s"
exits 0 "openssl signs a manifest"
run "$LKFLASH" sign --attach "$TMP/m.p7s" --manifest "$TMP/m.json" -q "$TMP/image.raw"
exits 0 "sign --attach"
run "$LKFLASH" verify --trust "$TMP/keys/ca.pem" "$TMP/image.raw"
exits 0 "lkflash accepts what openssl signs"

# ---- Odd ones
cp "$TMP/parts/manifest.json" "$pki/content"
run tests/lib/pki.sh "$pki"
exits 0 "openssl makes odd signatures over the manifest"

# section TAG FILE: a zstd skippable frame of ours
section() {
	perl -0777 -e 'my ($tag, $file) = @ARGV; open my $f, "<:raw", $file or die; my $b = <$f> // "";
		binmode STDOUT; print pack("VV", 0x184d2a50, 16 + length $b), "LKF1", $tag,
		pack("Q<", length $b), $b' "$1" "$2"
}

# use NAME: put the signature NAME.p7s under the image.
use() {
	{
		section MANI "$pki/content"
		section SIGN "$pki/$1.p7s"
		section INDX "$TMP/parts/index.bin"
	} >"$TMP/image.raw.lkm"
}

# accepted NAME [OPTION...]
accepted() {
	use "$1"
	run "$LKFLASH" verify --trust "$pki/ca.pem" "${@:2}" "$TMP/image.raw"
	exits 0 "$* is accepted"
}

# refused NAME WHY [OPTION...]: with 4, for that reason, and the target stays as it was.
refused() {
	use "$1"
	printf 'as it was' >"$TMP/target"
	truncate -s 4M "$TMP/target"
	cp "$TMP/target" "$TMP/target.before"
	run "$LKFLASH" write --trust "$pki/ca.pem" "${@:3}" "$TMP/image.raw" "$TMP/target"
	exits 4 "$1 ${*:3} is refused"
	like "$err" "$2" "and the reason told"
	cmp -s "$TMP/target" "$TMP/target.before"
	ok $? "and nothing written"
}

accepted good
accepted key-id
accepted deep
accepted p384
accepted rsa
accepted two --threshold 2
accepted two-of-three --threshold 2
accepted good --crl "$pki/none.crl"
accepted deep --crl "$pki/none.crl" --crl "$pki/int-none.crl"

refused id-data "is not over a manifest"
refused other-type "is not over a manifest"
refused no-attributes "has no signed attributes"
refused attached "has its content attached"
refused capabilities "a signed attribute besides"
refused ber-attached "is not DER"
refused sha1 "uses another digest"
refused pss "uses another algorithm"
refused no-certs "carries no certificates"
refused stranger "no trusted CA issued the signing certificate CN=stranger"
refused elsewhere "no trusted CA issued the signing certificate CN=elsewhere"
refused deep-alone "no trusted CA issued the signing certificate CN=deep"
refused no-eku "CN=no-eku is not for code signing"
refused any-eku "CN=any-eku is for any usage"
refused server "CN=server is not for code signing"
refused no-usage "CN=no-usage does not say what its key may be used for"
refused past "CN=past expired on 2021-01-01"
refused future "CN=future is not valid before 2099-01-01"
refused rsa2048 "at least 3072 bits"
refused good "was revoked by CN=test CA" --crl "$pki/good-revoked.crl"
refused deep "no revocation list is by CN=int" --crl "$pki/none.crl"
refused good "no revocation list is by CN=test CA" --crl "$pki/other.crl"
refused mixed "1 of the 2 trusted keys asked for have signed" --threshold 2
refused two-of-three "2 of the 3 trusted keys asked for have signed" --threshold 3

# One of two signatures made over something else: here the same signers, another content.
(cd "$pki" && printf 'other' >other && openssl cms -sign -binary -nosmimecap -md sha256 -outform DER \
	-econtent_type $OID -in other -signer good.pem -inkey good.key -out over-other.p7s &&
	openssl cms -resign -binary -nosmimecap -md sha256 -inform DER -in good.p7s -outform DER \
		-signer second.pem -inkey second.key -out resigned.p7s) >/dev/null 2>&1
ok $? "openssl signs another content, and adds a signer"
refused over-other "by CN=good is not over this content"
accepted resigned --threshold 2
perl -0777 -pe 'substr($_, -1) ^= "\1"' "$pki/two.p7s" >"$pki/one-bad.p7s"
refused one-bad "the signature by CN=(good|second) is wrong"
{ cat "$pki/good.p7s" && printf '\0'; } >"$pki/trailing.p7s"
refused trailing "is not DER"
: >"$pki/empty.p7s"
refused empty "section SIGN has 0 bytes"

# What was signed for the old CA and for the new one is accepted by machines that know either.
accepted mixed
accepted mixed --trust "$pki/other.pem" --threshold 2
finish

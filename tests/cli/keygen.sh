#!/bin/bash
# Keys are made once, readable by their owner only, and openssl agrees that they belong together.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
requires openssl jq

run "$LKFLASH" keygen
exits 2 "keygen without --out ends with 2"
like "$err" "keygen needs --out DIR" "and says what it needs"

umask 000
run "$LKFLASH" keygen --out "$TMP/new/keys" --name "Acme gateways"
exits 0 "keygen makes a folder and keys in it"
for file in ca.pem ca.key sign.pem sign.key; do
	like "$out" "^$TMP/new/keys/$file " "it tells what $file is for"
done
like "$out" "lkflash sign --key $TMP/new/keys/sign.key --cert" "it tells what to do next"
is "$(stat -c %a "$TMP/new/keys/ca.key" "$TMP/new/keys/sign.key" | tr '\n' ' ')" "600 600 " \
	"keys are for their owner only, whatever the umask"
is "$(stat -c %a "$TMP/new/keys")" 700 "so is their folder"
openssl verify -CAfile "$TMP/new/keys/ca.pem" -purpose any "$TMP/new/keys/sign.pem" >/dev/null 2>&1
ok $? "openssl finds the signer certified by the CA"
like "$(openssl x509 -in "$TMP/new/keys/sign.pem" -noout -subject)" "Acme gateways" "the name is in the subject"
like "$(openssl x509 -in "$TMP/new/keys/sign.pem" -noout -ext extendedKeyUsage)" "Code Signing" \
	"the signer may sign code"
like "$(openssl x509 -in "$TMP/new/keys/ca.pem" -noout -ext basicConstraints)" "CA:TRUE" "the CA is one"

before=$(cat "$TMP"/new/keys/* | sha256sum)
run "$LKFLASH" keygen --out "$TMP/new/keys"
exits 2 "keys that exist are not replaced"
is "$(cat "$TMP"/new/keys/* | sha256sum)" "$before" "and stay as they were"

for type in p256 p384 rsa3072; do
	run "$LKFLASH" keygen --out "$TMP/$type" --type "$type" --days 30 -q
	exits 0 "keygen --type $type"
	is "$out" "" "-q prints nothing"
	is "$(openssl pkey -in "$TMP/$type/sign.key" -pubout 2>/dev/null)" \
		"$(openssl x509 -in "$TMP/$type/sign.pem" -noout -pubkey)" "key and certificate belong together"
done
like "$(openssl pkey -in "$TMP/p384/sign.key" -noout -text)" "secp384r1" "p384 is P-384"
like "$(openssl pkey -in "$TMP/rsa3072/sign.key" -noout -text)" "3072 bit" "rsa3072 has 3072 bits"
openssl x509 -in "$TMP/p256/sign.pem" -noout -checkend $((29 * 86400)) >/dev/null
ok $? "--days 30 holds for 29 days"
openssl x509 -in "$TMP/p256/sign.pem" -noout -checkend $((31 * 86400)) >/dev/null
is "$?" 1 "--days 30 does not hold for 31 days"

run "$LKFLASH" keygen --out "$TMP/bad" --type ed25519
exits 2 "an unknown type is refused"
ok "$([ ! -e "$TMP/bad" ]; echo $?)" "before a folder is made"

run "$LKFLASH" keygen --out "$TMP/json" --json
is "$(jq -r '.ca_cert, .ca_key, .cert, .key' <<<"$out" | xargs -n1 basename | tr '\n' ' ')" \
	"ca.pem ca.key sign.pem sign.key " "--json names the four files"
is "$(jq -r .event <<<"$out")" keys "in an object that says what it is"

run "$LKFLASH" keygen --out /dev/null/keys
exits 1 "a folder that cannot be made is an I/O error"

finish

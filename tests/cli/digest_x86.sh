#!/bin/bash
# What makes SHA-256 on x86: the processor's own instructions where it has them, mbedTLS where not;
# both give the same digests.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
[ "$(uname -m)" = x86_64 ] || skip_all "this is no x86"
BUILD=${BUILD:-build/release}
# The C library reports a processor without SSSE3, which the SHA instructions are used with.
without=GLIBC_TUNABLES=glibc.cpu.hwcaps=-SSSE3

# kernel [VARIABLE=VALUE]: what the program says it uses
kernel() { env "$@" "$LKFLASH" boards --debug 2>&1 >"$TMP/boards" | sed -n 's/.*SHA-256 is made by //p'; }

wanted=mbedtls
if grep -qw sha_ni /proc/cpuinfo; then
	wanted=sha-ni
fi
is "$(kernel)" "$wanted" "the fastest that this processor has is used"
is "$(kernel "$without")" mbedtls "a processor without these instructions uses mbedTLS"

[ -x "$BUILD/tests/unit/test_digest" ] || make -s "$BUILD/tests/unit/test_digest" >&2
run env "$without" "$BUILD/tests/unit/test_digest"
exits 0 "and the known answers are right there"

head -c 3000001 /dev/urandom >"$TMP/a.raw"
sign_image "$TMP/a.raw"
run env "$without" "$LKFLASH" verify -q --trust "$TMP/keys/ca.pem" "$TMP/a.raw"
exits 0 "what was signed with one is verified with the other"
finish

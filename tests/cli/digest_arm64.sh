#!/bin/bash
# SHA-256 by the instructions of arm64: cross-built, and run in an emulator of its processors. What
# needs mbedTLS is left out, because there is none for arm64 here.
# shellcheck source-path=SCRIPTDIR/../..
# shellcheck disable=SC2317 # build is called by run
. tests/lib/tap.sh
cc=aarch64-linux-gnu-gcc
requires "$cc" aarch64-linux-gnu-objdump qemu-aarch64

sources=(flash/trust/digest_{kernel,sha256,sha_ni,armv8}.c flash/base/log.c tests/lib/digest_agree.c)

# build PROGRAM [OPTIONS]
build() {
	"$cc" -std=gnu11 -O2 -static -I. -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion -Wundef \
		-Wmissing-prototypes -Werror -o "$1" "${sources[@]}" "${@:2}"
}

run build "$TMP/agree"
exits 0 "the kernel builds for arm64 without a warning"
for processor in cortex-a53 cortex-a72 neoverse-n1 max; do
	run qemu-aarch64 -cpu "$processor" "$TMP/agree"
	exits 0 "$processor: known answers and plain C agree with it"
	like "$out" '^armv8: [0-9]{4} right, 0 wrong$' "$processor: it is that kernel which was tried"
done

# The emulator has no processor without these instructions, but a program can be told it has none.
cat >"$TMP/bare.c" <<'END'
unsigned long __wrap_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type)
{
	return type & 0;
}
END
run build "$TMP/bare" "$TMP/bare.c" -Wl,--wrap=getauxval
exits 0 "a program that sees a processor without them builds"
run qemu-aarch64 "$TMP/bare"
is "$status $out" "0 none" "a processor without them leaves SHA-256 to mbedTLS"

# A kernel that is wrong is not used: the same program with one constant of the rounds changed.
cp -r flash tests "$TMP" && sed -i 's/0x428a2f98/0x428a2f99/' "$TMP/flash/trust/digest_sha256.c"
run env -C "$TMP" "$cc" -std=gnu11 -O2 -static -I. -D_GNU_SOURCE -o wrong "${sources[@]}"
exits 0 "a kernel with a wrong constant builds"
run qemu-aarch64 "$TMP/wrong"
is "$status $out" "0 none" "a kernel that does not know its answers is not used"
finish

#!/bin/bash
# The trust code and its tests against mbedTLS 3.6, which Debian 12 does not have: the packages of
# Debian 13 are fetched and unpacked below build/, through a configuration of apt of our own. The
# machine's packages and lists are neither changed nor used.
# shellcheck disable=SC2317 # some functions are called by run
cd "$(dirname "$0")/.." || exit 1
. tests/lib/tap.sh
requires apt-get dpkg-deb make
root=$PWD/build/mbedtls3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
triplet=$(gcc -print-multiarch)

# The mirror that this machine uses for Debian itself.
mirror() {
	local uri
	# shellcheck disable=SC2016 # apt's own variables
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		grep -m1 '/debian/$')
	echo "${uri:-http://deb.debian.org/debian/}"
}

# fetch: libmbedtls-dev of Debian 13, its signature checked by apt, unpacked into $root.
fetch() {
	local apt=$root/apt
	rm -rf "$root"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/status"
	echo "deb [signed-by=$keyring] $(mirror) trixie main" >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-END
		Dir::State "$apt";
		Dir::State::status "$apt/status";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::Etc::preferencesparts "-";
		Acquire::Languages "none";
		Acquire::Retries "3";
		APT::Sandbox::User "$(id -un)";
		APT::Update::Error-Mode "any";
	END
	APT_CONFIG=$apt/apt.conf apt-get -q update &&
		(cd "$root" && APT_CONFIG=$apt/apt.conf apt-get -q download libmbedtls-dev) &&
		dpkg-deb -x "$root"/libmbedtls-dev_*.deb "$root/debian" &&
		rm -r "$apt"
}

# build TARGET...: with the headers and the static libraries of 3.6
build() {
	make -s BUILD="$root" MBEDTLS_CFLAGS="-isystem $root/debian/usr/include" \
		MBEDTLS_LDLIBS="$libraries/libmbedx509.a $libraries/libmbedcrypto.a" \
		"${@/#/$root/release/tests/unit/}"
}

libraries=$root/debian/usr/lib/$triplet
if [ ! -e "$libraries/libmbedcrypto.a" ]; then
	run fetch
	[ "$status" = 0 ] || diag "$out$err"
	[ "$status" = 0 ] || skip_all "the packages of Debian 13 are not to be had here"
fi
like "$(grep 'define MBEDTLS_VERSION_STRING ' "$root/debian/usr/include/mbedtls/build_info.h")" \
	'"3\.6\.[0-9]+"' "these are the headers of mbedTLS 3.6"

tests=(test_digest test_der test_keys test_manifest test_floor test_seal)
for file in tests/unit/test_trust_*.c; do
	tests+=("$(basename "$file" .c)")
done
run build "${tests[@]}"
exits 0 "the trust code builds with them, without a warning"
[ "$status" = 0 ] || finish
for test in "${tests[@]}"; do
	run "$root/release/tests/unit/$test"
	exits 0 "$test holds"
done
run nm -C "$root/release/tests/unit/test_trust_sign"
like "$out" " mbedtls_x509write_crt_set_serial_raw" "it is 3.6 that was tested"
finish

# A signed archive of Debian packages of our own, for shell tests: source it behind tap.sh.
# shellcheck shell=bash

export GNUPGHOME=$TMP/gnupg
ARCHIVE=$TMP/archive

# archive_key NAME: a new key; its public half in $TMP/NAME.gpg.
archive_key() {
	(umask 077 && mkdir -p "$GNUPGHOME")
	at_end "gpgconf --homedir $GNUPGHOME --kill all"
	gpg --batch --quiet --passphrase '' --quick-gen-key "$1" ed25519 sign never 2>/dev/null &&
		gpg --batch --quiet --export "$1" >"$TMP/$1.gpg"
}

# archive_package NAME ARCH VERSION FOLDER: a package of what is in the folder, in $ARCHIVE/pool.
archive_package() {
	mkdir -p "$4/DEBIAN" "$ARCHIVE/pool"
	printf 'Package: %s\nArchitecture: %s\nVersion: %s\nMaintainer: Test <test@example.com>\nDescription: test\n' \
		"$1" "$2" "$3" >"$4/DEBIAN/control"
	dpkg-deb --root-owner-group --build "$4" "$ARCHIVE/pool/$1_$3_$2.deb" >/dev/null
}

# The list of the packages in the pool for ARCH.
archive_list() {
	local deb
	for deb in "$ARCHIVE"/pool/*_"$1".deb "$ARCHIVE"/pool/*_all.deb; do
		[ -e "$deb" ] || continue
		dpkg-deb --field "$deb"
		printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" \
			"$(sha256sum <"$deb" | cut -d' ' -f1)"
	done
}

# archive_publish SUITE KEY ARCH...: the lists and their signature by KEY; none when KEY is empty.
archive_publish() {
	local suite=$1 key=$2 arch component list folder=$ARCHIVE/dists/$1
	rm -rf "$folder"
	for arch in "${@:3}"; do
		for component in main non-free-firmware; do
			mkdir -p "$folder/$component/binary-$arch"
			: >"$folder/$component/binary-$arch/Packages"
		done
		archive_list "$arch" >"$folder/main/binary-$arch/Packages"
	done
	{
		printf 'Origin: Test\nSuite: %s\nCodename: %s\nDate: %s\n' "$suite" "$suite" "$(LC_ALL=C date -Ru)"
		printf 'Architectures: %s\nComponents: main non-free-firmware\nSHA256:\n' "${*:3}"
		(cd "$folder" && find . -name Packages | sort) | while IFS= read -r list; do
			printf ' %s %s %s\n' "$(sha256sum <"$folder/$list" | cut -d' ' -f1)" \
				"$(stat -c %s "$folder/$list")" "${list#./}"
		done
	} >"$folder/Release"
	[ -z "$key" ] || gpg --batch --quiet --local-user "$key" --clearsign --output "$folder/InRelease" \
		"$folder/Release"
}

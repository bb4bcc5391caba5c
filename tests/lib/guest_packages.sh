#!/bin/bash
# guest_packages.sh FOLDER PACKAGE:ARCH...: fetch Debian packages of any architecture and unpack them
# below FOLDER/PACKAGE:ARCH, without installing them; those that are there stay. A package that has no
# files and only names others stands for the first of them (linux-image-arm64).
#
# apt gets a configuration of its own: the machine's sources and package database are not touched.
# Only the release itself is asked, which changes a few times a year, not its updates.
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
shift
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
N_TRIES=4
PAUSE_S=15

missing=()
for package; do
	[ -d "$folder/$package" ] || missing+=("$package")
done
[ ${#missing[@]} != 0 ] || exit 0
echo "fetching for the guests: ${missing[*]}"

apt=$folder/.apt
rm -rf "$apt"
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,etc,get}
touch "$apt/status"
cat >"$apt/apt.conf" <<-END
	Dir::State "$apt/state";
	Dir::State::status "$apt/status";
	Dir::Cache "$apt/cache";
	Dir::Etc::sourcelist "$apt/etc/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	APT::Architecture "amd64";
	APT::Architectures { $(printf '%s\n' "${missing[@]#*:}" | sort -u | sed 's/.*/"&"; /' | tr -d '\n')};
	APT::Sandbox::User "root";
	APT::Update::Error-Mode "any";
	APT::Update::Post-Invoke-Success "";
	Acquire::Languages "none";
	Acquire::Retries "2";
END
echo "deb [signed-by=$KEYRING] $MIRROR bookworm main" >"$apt/etc/sources.list"
export APT_CONFIG=$apt/apt.conf

# again COMMAND...: until it succeeds; a mirror that is being updated gives files that do not match.
again() {
	local n
	for ((n = 1; n <= N_TRIES; n++)); do
		"$@" >"$apt/log" 2>&1 && return 0
		[ "$n" = "$N_TRIES" ] || sleep "$PAUSE_S"
	done
	sed 's/^/# /' "$apt/log" >&2
	echo "guest_packages.sh: $MIRROR did not give this in $N_TRIES tries: $*" >&2
	echo "guest_packages.sh: it may be in the middle of an update; try later, or set" \
		"DEBIAN_MIRROR to another" >&2
	exit 1
}

# The package with the files.
resolve() {
	local name
	name=$(apt-cache depends --important "$1" | sed -n 's/^  Depends: \([a-z].*\)/\1/p' | head -n 1)
	case "$1" in
	linux-image-[a-z]*) echo "${name%%:*}:${1#*:}" ;;
	*) echo "$1" ;;
	esac
}

again apt-get update -qq
for package in "${missing[@]}"; do
	rm -rf "$apt/get" "$folder/.new"
	mkdir "$apt/get"
	(cd "$apt/get" && again apt-get download -qq "$(resolve "$package")")
	dpkg-deb -x "$apt"/get/*.deb "$folder/.new"
	mv "$folder/.new" "$folder/$package"
done
rm -rf "$apt"

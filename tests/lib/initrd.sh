#!/bin/bash
# initrd.sh OUT INIT [FOLDER RELEASE MODULE...]: an initrd of that /init, with those of the named kernel
# modules that are in FOLDER/lib/modules/RELEASE, and all that they need, listed in the order of
# loading. The same inputs make the same bytes.
set -eu
out=$(realpath "$1")
init=$2
modules=${3:+$3/lib/modules/$4}
shift $(($# < 4 ? $# : 4))
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# module_path NAME: of a module that is not built into the kernel, below lib/modules/RELEASE.
module_path() {
	find "$modules/kernel" -name "${1//[-_]/[-_]}.ko" -printf 'kernel/%P\n'
}

# add PATH...: each behind what it needs, once. Debian's packages carry no modules.dep: depmod makes
# it when they are installed; each module says itself what it needs.
add() {
	local path
	for path; do
		grep -qxF "/$path" "$folder/modules.list" && continue
		# shellcheck disable=SC2046 # words on purpose
		add $(needs "$path")
		echo "/$path" >>"$folder/modules.list"
		install -D -m 644 "$modules/$path" "$folder/$path"
	done
}
needs() {
	local names name
	names=$(LC_ALL=C grep -a -z -m 1 '^depends=' "$modules/$1" | tr -d '\0')
	for name in $(tr , ' ' <<<"${names#depends=}"); do
		module_path "$name"
	done
}

install -m 755 "$init" "$folder/init"
: >"$folder/modules.list"
for name; do
	path=$(module_path "$name")
	# shellcheck disable=SC2086 # one or none: what this kernel has built in, or never had
	add $path
done
find "$folder" -exec touch -h -d @0 {} +
cd "$folder"
find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
	cpio --quiet --create --format=newc --reproducible --owner=0:0 | gzip -n -9 >"$out"

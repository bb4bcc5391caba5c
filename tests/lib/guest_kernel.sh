#!/bin/bash
# guest_kernel.sh OUT SOURCE CONFIG: a kernel for riscv64, which is no architecture of Debian 12, from
# the package linux-source-6.1 unpacked at SOURCE with the options of CONFIG and no others. Made anew
# when one of them, the compiler or this script is another than last time.
set -eu
out=$(realpath "$1")
tarball=$(realpath "$2"/usr/src/linux-source-*.tar.xz)
config=$(realpath "$3")
cross=riscv64-linux-gnu-
inputs=$({
	stat -c '%n %s %Y' "$tarball"
	cat "$config" "$0"
	"${cross}gcc" -dumpfullversion
} | sha256sum | cut -d ' ' -f 1)
[ "$(cat "$out.inputs" 2>/dev/null)" != "$inputs" ] || exit 0
echo "building a kernel for riscv64"

folder=$(mktemp -d "$(dirname "$out")/kernel.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM HUP
# What is left out is most of the source, and only its Kconfig and Makefiles are read.
xz -dc -T0 "$tarball" | tar -x -C "$folder" --strip-components 1 --wildcards \
	--exclude='*/Documentation/*.rst' --exclude='*/Documentation/*.yaml' \
	--exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/net/*.[ch]' --exclude='*/sound/*.[ch]' \
	--exclude='*/drivers/staging/*.[ch]' --exclude='*/drivers/media/*.[ch]'
export KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=lkflash KBUILD_BUILD_HOST=lkflash
kbuild() { make -s -C "$folder" -j "$(nproc)" ARCH=riscv CROSS_COMPILE="$cross" "$@"; }
kbuild KCONFIG_ALLCONFIG="$config" allnoconfig >/dev/null
while IFS= read -r line; do
	grep -qxF "$line" "$folder/.config" || {
		echo "guest_kernel.sh: $config: $line is not possible" >&2
		exit 1
	}
done < <(grep '^CONFIG' "$config")
kbuild Image >"$folder/log" 2>&1 || {
	tail -n 20 "$folder/log" >&2
	exit 1
}
cp "$folder/arch/riscv/boot/Image" "$out"
echo "$inputs" >"$out.inputs"

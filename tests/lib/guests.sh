#!/bin/bash
# guests.sh FOLDER: from the packages in FOLDER/packages, what the machines of tests/qemu start:
# FOLDER/ARCH/{kernel,init,initrd.img,dtb/}. What is there and no older than its inputs stays.
set -eu
cd "$(dirname "$0")/../.."
guests=$(cd "$1" && pwd)
# Every disk and file system that one of the machines has; what a kernel has built in is left out.
MODULES='virtio_pci virtio_blk sdhci_iproc bcm2835 sunxi_mmc vfat nls_ascii nls_cp437 crc32c_generic ext4
	squashfs erofs efivarfs'

# is_newer FILE INPUT...: than all of them.
is_newer() {
	local input
	for input in "${@:2}"; do
		[ "$1" -nt "$input" ] || return 1
	done
}

# guest ARCH COMPILER PACKAGE: kernel, modules and device trees are the package's.
guest() {
	local folder=$guests/$1 package=$guests/packages/$3 release
	mkdir -p "$folder"
	is_newer "$folder/init" tests/qemu/init.c ||
		"$2" -std=gnu11 -D_GNU_SOURCE -Os -static -s -Wall -Wextra -o "$folder/init" tests/qemu/init.c
	if [ "$1" = riscv64 ]; then
		tests/lib/guest_kernel.sh "$folder/kernel" "$package" tests/qemu/riscv64.config
		package=
	else
		release=$(basename "$package"/lib/modules/*)
		ln -sf "$package/boot/vmlinuz-$release" "$folder/kernel"
		ln -sfn "$package/usr/lib/linux-image-$release" "$folder/dtb"
	fi
	# shellcheck disable=SC2086 # words on purpose
	is_newer "$folder/initrd.img" "$folder/init" "$folder/kernel" "$0" tests/lib/initrd.sh ||
		tests/lib/initrd.sh "$folder/initrd.img" "$folder/init" ${package:+"$package" "$release" $MODULES}
}

guest x86_64 x86_64-linux-gnu-gcc linux-image-cloud-amd64:amd64
guest arm64 aarch64-linux-gnu-gcc linux-image-arm64:arm64
guest arm arm-linux-gnueabihf-gcc linux-image-armmp:armhf
guest riscv64 riscv64-linux-gnu-gcc linux-source-6.1:amd64

#!/bin/bash
# QEMU's 64-bit ARM board with U-Boot: extlinux, EBBR, root file systems, A/B, LinuxKit.
. tests/lib/tap.sh
. tests/lib/machines.sh

kernel_of arm64
built qemu-arm64 "${payload[@]}"
written qemu-arm64 256
started qemu-arm64
marker_is 'slot= boot=vda1:put by build' 'kernel and initrd'
like "$cmdline" '^console=ttyAMA0 quiet panic=-1 boot=PARTUUID=[0-9a-f-]{36} slot= *$' \
	"with the board's console and what was asked for"

# ---- UEFI, which U-Boot has as well ----
built qemu-arm64 --method ebbr "${payload[@]}"
written qemu-arm64 256
started qemu-arm64
marker_is 'slot= boot=vda1:put by build loader=vda1' 'EBBR'

# ---- A root file system of erofs ----
root_of arm64
mkfs.erofs "$TMP/root.erofs" "$TMP/root" >/dev/null
built qemu-arm64 "${payload[@]}" --rootfs "$TMP/root.erofs"
written qemu-arm64 256
started qemu-arm64
marker_is 'slot= boot=vda1:put by build root=vda2:root of arm64' 'a root file system of erofs'

# ---- A/B with one that came as a tar: U-Boot counts ----
tar -C "$TMP/root" -cf "$TMP/root.tar" .
kernel_of arm64 broken=a
built qemu-arm64 --slots 2 "${payload[@]}" --rootfs "$TMP/root.tar"
written qemu-arm64 256
fallback qemu-arm64 'slot=b boot=vda1:put by build root=vda3:root of arm64'

# ---- LinuxKit ----
linuxkit_of arm64 'console=tty0 console=ttyAMA0 page_poison=1'
built qemu-arm64 --linuxkit "$TMP/kit"
written qemu-arm64 256
started qemu-arm64
marker_is 'slot= onboot=000-dhcpcd onboot=001-format' 'a LinuxKit build'
like "$cmdline" '^console=tty0 console=ttyAMA0 page_poison=1 *$' "with its own command line"

finish

#!/bin/bash
# A PC with a BIOS: GRUB in an MBR, a root file system that came as an image, A/B.
. tests/lib/tap.sh
. tests/lib/machines.sh

kernel_of x86_64
built x86-bios "${payload[@]}"
written x86-bios 256
started x86-bios
marker_is 'slot= boot=vda1:put by build' 'kernel and initrd'
like "$cmdline" '(^| )console=ttyS0,115200 quiet panic=-1 boot=PARTUUID=[0-9a-f]{8}-01 slot=$' \
	"with the board's console and what was asked for"

# ---- A/B with squashfs: GRUB counts ----
root_of x86_64
mksquashfs "$TMP/root" "$TMP/root.squashfs" -quiet -no-progress >/dev/null
kernel_of x86_64 broken=a
built x86-bios --slots 2 "${payload[@]}" --rootfs "$TMP/root.squashfs"
written x86-bios 256
fallback x86-bios 'slot=b boot=vda1:put by build root=vda3:root of x86_64'

finish

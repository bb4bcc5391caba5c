#!/bin/bash
# QEMU's 64-bit RISC-V board with OpenSBI and U-Boot.
. tests/lib/tap.sh
. tests/lib/machines.sh

kernel_of riscv64
built qemu-riscv64 "${payload[@]}"
written qemu-riscv64 256
started qemu-riscv64
marker_is 'slot= boot=vda1:put by build' 'kernel and initrd'
like "$cmdline" '^console=ttyS0 quiet panic=-1 boot=PARTUUID=[0-9a-f-]{36} slot= *$' \
	"with the board's console and what was asked for"

# This kernel finds and mounts its root by itself.
root_of riscv64
built qemu-riscv64 --kernel "$GUESTS/riscv64/kernel" --rootfs "$TMP/root" --cmdline 'quiet panic=-1 boot={boot}' \
	--boot-file "$TMP/marker.txt:marker.txt"
written qemu-riscv64 256
started qemu-riscv64
marker_is 'slot= boot=vda1:put by build root=vda2:root of riscv64' 'a root file system without an initrd'
like "$cmdline" ' root=PARTUUID=[0-9a-f-]{36} ro rootwait' "which the kernel is told of"

finish

#!/bin/bash
# QEMU's 32-bit ARM board with U-Boot.
. tests/lib/tap.sh
. tests/lib/machines.sh

kernel_of arm
built qemu-arm "${payload[@]}"
written qemu-arm 256
started qemu-arm
marker_is 'slot= boot=vda1:put by build' 'kernel and initrd'
like "$cmdline" '^console=ttyAMA0 quiet panic=-1 boot=PARTUUID=[0-9a-f-]{36} slot= *$' \
	"with the board's console and what was asked for"

finish

#!/bin/bash
# A Raspberry Pi 3, from U-Boot: QEMU has no GPU that would start it.
. tests/lib/tap.sh
. tests/lib/machines.sh

kernel_of arm64
built rpi3 "${payload[@]}"
written rpi3 128
started rpi3
marker_is 'slot= boot=mmcblk0p1:put by build' 'from U-Boot to kernel'
like "$cmdline" '(^| )console=ttyS1,115200 quiet panic=-1 boot=PARTUUID=[0-9a-f]{8}-01 slot= *$' \
	"with the board's console and what was asked for"

finish

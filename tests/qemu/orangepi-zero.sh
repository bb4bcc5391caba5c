#!/bin/bash
# An Orange Pi Zero, from the SPL that its ROM reads at 8 KiB of the card, below a GPT of 56 entries. It
# is QEMU's orangepi-pc, which has the same SoC but for two of its blocks.
. tests/lib/tap.sh
. tests/lib/machines.sh

kernel_of arm
built orangepi-zero "${payload[@]}"
written orangepi-zero 128
started orangepi-zero
marker_is 'slot= boot=mmcblk0p1:put by build' 'from SPL to kernel'
like "$out" 'Trying to boot from MMC1' "the SPL took U-Boot from the card"
like "$cmdline" '^console=ttyS0,115200 quiet panic=-1 boot=PARTUUID=[0-9a-f-]{36} slot= *$' \
	"with the board's console and what was asked for"

finish

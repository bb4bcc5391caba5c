#!/bin/bash
# A 64-bit ARM server with UEFI.
. tests/lib/tap.sh
. tests/lib/machines.sh

kernel_of arm64
built arm64-uefi "${payload[@]}"
written arm64-uefi 256
started arm64-uefi
marker_is 'slot= boot=vda1:put by build loader=vda1' 'kernel and initrd'
like "$cmdline" '(^| )console=ttyAMA0,115200 quiet panic=-1 boot=PARTUUID=[0-9a-f-]{36} slot=$' \
	"with the board's console and what was asked for"

built arm64-uefi --method uki "${payload[@]}"
written arm64-uefi 256
started arm64-uefi
marker_is 'slot= boot=vda1:put by build loader=vda1' 'one unified kernel image'

finish

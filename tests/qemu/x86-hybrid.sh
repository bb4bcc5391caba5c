#!/bin/bash
# One disk for PCs of either firmware.
. tests/lib/tap.sh
. tests/lib/machines.sh

kernel_of x86_64
built x86-hybrid "${payload[@]}"
written x86-hybrid 256
started x86-hybrid
marker_is 'slot= boot=vda2:put by build loader=vda2' 'UEFI'
started x86-bios
marker_is 'slot= boot=vda2:put by build' 'BIOS'

finish

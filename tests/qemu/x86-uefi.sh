#!/bin/bash
# A PC with UEFI: systemd-boot, unified kernel images, root file systems, A/B, LinuxKit, growing.
. tests/lib/tap.sh
. tests/lib/machines.sh

# ---- A kernel and its initrd ----
kernel_of x86_64
built x86-uefi "${payload[@]}"
written x86-uefi 256
started x86-uefi
marker_is 'slot= boot=vda1:put by build loader=vda1' 'kernel and initrd'
like "$cmdline" '(^| )console=ttyS0,115200 quiet panic=-1 boot=PARTUUID=[0-9a-f-]{36} slot=$' \
	"with the board's console and what was asked for"

# ---- A unified kernel image ----
built x86-uefi --method uki "${payload[@]}"
written x86-uefi 256
started x86-uefi
marker_is 'slot= boot=vda1:put by build loader=vda1' 'one unified kernel image'

# ---- A root file system, and the data partition on a larger medium ----
root_of x86_64
built x86-uefi "${payload[@]}" --rootfs "$TMP/root"
written x86-uefi 512
started x86-uefi
marker_is 'slot= boot=vda1:put by build root=vda2:root of x86_64 loader=vda1' 'a root file system of ext4'
like "$cmdline" ' root=PARTUUID=[0-9a-f-]{36} ro rootwait' "the kernel is told which"
like "$(sfdisk -V "$DISK" 2>&1)" '^No errors detected' "the table on the larger medium is sound"
data=$(sfdisk --json "$DISK" | jq -r '.partitiontable | .partitions[-1] as $p |
	"\($p.name) \($p.start) \($p.size) \(.lastlba - $p.start - $p.size)"')
read -r name start n_sectors n_left <<<"$data"
is "$name" data "its last partition is for data"
[ "$n_left" -lt 2048 ]
ok $? "it was grown to the end of the medium"
dd if="$DISK" of="$TMP/data.ext4" bs=512 skip="$start" count="$n_sectors" conv=sparse status=none
e2fsck -fn "$TMP/data.ext4" >"$TMP/e2fsck" 2>&1
ok $? "its file system is sound"
resize2fs "$TMP/data.ext4" >"$TMP/resize" 2>&1 && e2fsck -fn "$TMP/data.ext4" >"$TMP/e2fsck" 2>&1
ok $? "and can be grown into it"
is "$(dumpe2fs -h "$TMP/data.ext4" 2>/dev/null |
	awk '/^Block count/ {n = $3} /^Block size/ {print n * $3 / 4096}')" $((n_sectors / 8)) \
	"to the last block"

# ---- A/B: systemd-boot counts ----
kernel_of x86_64 broken=a
built x86-uefi --slots 2 "${payload[@]}" --rootfs "$TMP/root"
written x86-uefi 512
fallback x86-uefi 'slot=b boot=vda1:put by build root=vda3:root of x86_64 loader=vda1'

built x86-uefi --method uki --slots 2 "${payload[@]}"
written x86-uefi 256
fallback x86-uefi 'slot=b boot=vda1:put by build loader=vda1'

# ---- LinuxKit ----
linuxkit_of x86_64 'console=tty0 console=ttyS0 page_poison=1'
built x86-uefi --linuxkit "$TMP/kit"
written x86-uefi 256
started x86-uefi
marker_is 'slot= loader=vda1 onboot=000-dhcpcd onboot=001-format' 'a LinuxKit build'
like "$cmdline" 'console=tty0 console=ttyS0 page_poison=1$' "with its own command line"

finish

#!/bin/bash
# A compressed disk in memory: sectors of 4096 bytes, and errors from the driver itself when it is full.
. "$(dirname "$0")/../lib/tap.sh"
requires cmp blockdev
[ -r /sys/class/zram-control/hot_add ] || skip_all "this kernel has no zram"

make_keys
head -c 3145728 /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw" --sector 4096
WRITE=("$LKFLASH" write -q --trust "$TMP/keys/ca.pem" "$TMP/image.raw")

# zram_disk: a new device of 16 MiB in $disk.
zram_disk() {
	local number
	number=$(cat /sys/class/zram-control/hot_add) || skip_all "zram devices are not to be had here"
	at_end "echo $number >/sys/class/zram-control/hot_remove"
	echo 16M >"/sys/block/zram$number/disksize"
	disk=/dev/zram$number
	at_end "blockdev --flushbufs $disk"
}

zram_disk
run "$LKFLASH" devices "$disk"
like "$out" '16.0 MiB, zram' "devices shows it"
run "${WRITE[@]}" "$disk"
exits 0 "it is written"
cmp -s -n 3145728 "$TMP/image.raw" "$disk"
ok $? "and holds the image"

zram_disk
echo 1M >"/sys/block/${disk#/dev/}/mem_limit"
run "${WRITE[@]}" "$disk"
exits 1 "one that is full is no success"
like "$err" 'incomplete and will not boot' "and its state is told"
cmp -s -n 4096 "$disk" /dev/zero
ok $? "and it does not boot"

full=$disk
zram_disk
good=$disk
zram_disk
run "${WRITE[@]}" "$good" "$full" "$disk"
exits 7 "among good ones it alone fails"
like "$err" "writing $full: .*incomplete and will not boot" "and its state is told"
blockdev --flushbufs "$good" "$disk"
cmp -s -n 3145728 "$TMP/image.raw" "$good" && cmp -s -n 3145728 "$TMP/image.raw" "$disk"
ok $? "and the others hold the image"

finish

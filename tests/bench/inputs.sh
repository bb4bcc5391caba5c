# The images and targets of the bench. Each is made once, when the first case needs it, the same on
# every machine.
# shellcheck shell=bash

GIB=$((1024 * 1024 * 1024))
# The big image is half random bytes, half zeros that are holes of the file.
IMAGE_BYTES=$((2 * GIB))
MAPPED_MIB=1024
# The small one is for targets of SLOW_MB and SLOWEST_MB megabytes a second.
SMALL_MIB=128
FULL_MB=40
SLOW_MB=10
N_TARGETS=8
# The image, packed, as .xz, the target, the small image and its nine targets.
# shellcheck disable=SC2034 # for bench.sh
ROOM_MIB=6144

# random_mib COUNT: so many MiB that do not compress, always the same.
random_mib() {
	openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -in /dev/zero 2>/dev/null |
		head -c "$(($1 * 1024 * 1024))"
}

# direct_loop VARIABLE FILE: a loop device whose I/O does not go through the page cache.
direct_loop() {
	loop_device "$1" "$2" --direct-io=on
	[ "$(cat "/sys/block/${!1#/dev/}/loop/dio")" = 1 ] || fail "$2 takes no direct I/O"
}

# The big image, signed, with a block map, and a target that has room for it.
input_raw() {
	[ ! -e "$TMP/image.raw" ] || return 0
	random_mib "$MAPPED_MIB" >"$TMP/image.raw"
	truncate -s "$IMAGE_BYTES" "$TMP/image.raw"
	bmaptool -q create -o "$TMP/image.bmap" "$TMP/image.raw" || return
	# What a block map leaves out does not matter; dd and bmaptool leave it out too.
	sign_image "$TMP/image.raw" --holes skip || return
	truncate -s "$IMAGE_BYTES" "$TMP/disk"
	direct_loop DISK "$TMP/disk"
}

# The same bytes, packed: an ordinary .zst that zstd reads as well.
input_zst() {
	input_raw || return
	[ -e "$TMP/image.zst" ] || "$LKFLASH" pack -q --key "$TMP/keys/sign.key" \
		--cert "$TMP/keys/sign.pem" --board generic --version 1 --out "$TMP/image.zst" "$TMP/image.raw"
}

# Blocks as large as `xz -T0` makes them; but at its default level random bytes would take minutes.
input_xz() {
	input_raw || return
	[ ! -e "$TMP/image.xz" ] || return 0
	xz --lzma2=preset=0,mf=hc3,nice=3,depth=1 --threads=0 --block-size=24MiB --stdout \
		"$TMP/image.raw" >"$TMP/image.xz" && sign_image "$TMP/image.xz"
}

# limited_disk VARIABLE NAME MB: a disk in RAM that reads and writes so many megabytes a second. The
# filter would let the first two seconds pass at any speed; here it is a twentieth of one.
limited_disk() {
	local file=$TMP/$2
	: >"$file"
	nbdfuse "$file" [ nbdkit --exit-with-parent --filter=rate memory $((SMALL_MIB * 2))M \
		rate=$(($3 * 8 * 1000 * 1000)) burstiness=0.05 ] >>"$TMP/nbd.log" 2>&1 &
	at_end "fusermount3 -u $file"
	wait_for 10 test -s "$file" || fail "nbdfuse: $(tail -n 3 "$TMP/nbd.log")"
	direct_loop "$1" "$file"
}

# The small image, and the targets of limited speed: LIMITED, and SLOW_DISK.
input_small() {
	local i disk=''
	[ ! -e "$TMP/small.raw" ] || return 0
	random_mib "$SMALL_MIB" >"$TMP/small.raw"
	sign_image "$TMP/small.raw" || return
	LIMITED=()
	for ((i = 0; i < N_TARGETS; i++)); do
		limited_disk disk "limited-$i" "$FULL_MB"
		LIMITED+=("$disk")
	done
	limited_disk SLOW_DISK slow "$SLOW_MB"
}

# Machines that boot what lkflash built, signed and wrote. Source it behind tap.sh. $GUESTS holds kernels
# and initrds (make guests), $LKFLASH_CACHE_DIR the firmware of boards.
#
#   kernel_of ARCH [TEXT]         the build options for Debian's kernel, our initrd and a command line
#   built BOARD [build options]   an image, signed
#   written BOARD MEBIBYTES       to a disk of that size, $DISK
#   started BOARD [boot options]  what its console said is in $out
#   marker_is TEXT NAME           what init said it was started from (README.md); $cmdline: and with
#
# The marker names slots and partitions, so that a machine that starts another one fails.
# shellcheck shell=bash disable=SC2034

GUESTS=${GUESTS:-$PWD/build/guests}
BOOT_LIMIT_S=${BOOT_LIMIT_S:-300}
DISK=$TMP/disk
export LKFLASH_CACHE_DIR=$GUESTS/cache
[ -s "$GUESTS/x86_64/initrd.img" ] || skip_all "there are no kernels to start; run make guests"
echo "put by build" >"$TMP/marker.txt"

kernel_of() {
	local folder=$GUESTS/$1
	payload=(--kernel "$folder/kernel" --initrd "$folder/initrd.img"
		--boot-file "$TMP/marker.txt:marker.txt"
		--cmdline "quiet panic=-1 boot={boot} slot={slot}${2:+ $2}")
	[ ! -d "$folder/dtb" ] || payload+=(--dtb "$folder/dtb")
}

built() {
	make_keys
	rm -f "$TMP"/image.raw*
	run "$LKFLASH" build --board "$1" --version 1 --sign "$TMP/keys/sign.key,$TMP/keys/sign.pem" \
		-o "$TMP/image.raw" "${@:2}"
	exits 0 "an image for $1 is built and signed"
}

# As root to a loop device, else to the file itself.
written() {
	local node=
	rm -f "$DISK"
	truncate -s "${2}M" "$DISK"
	[ "$(id -u)" != 0 ] || node=$(losetup --find --show "$DISK" 2>/dev/null)
	run "$LKFLASH" write --trust "$TMP/keys/ca.pem" --board "$1" --yes "$TMP/image.raw" \
		"${node:-$DISK}"
	exits 0 "it is written to a disk of $2 MiB"
	[ -z "$node" ] || losetup -d "$node"
}

started() {
	run "$LKFLASH" boot --board "$1" --expect LKFLASH-END --timeout "$BOOT_LIMIT_S" "${@:2}" "$DISK"
	# Which of several card readers is the first one is a matter of luck.
	out=$(tr -d '\r' <<<"$out" | sed 's/mmcblk[0-9]/mmcblk0/g')
	marker=$(sed -n 's/.*LKFLASH-MARKER \(.*\) cmdline="\(.*\)" LKFLASH-END.*/\1\n\2/p' <<<"$out")
	cmdline=$(tail -n +2 <<<"$marker")
	marker=$(head -n 1 <<<"$marker")
}

marker_is() {
	exits 0 "$2: it starts"
	is "$marker" "$1" "$2: what was written, from where it should"
}

# root_of ARCH: a root file system in $TMP/root.
root_of() {
	rm -rf "$TMP/root"
	mkdir -p "$TMP"/root/{dev,proc,sys,tmp,etc,sbin}
	cp "$GUESTS/$1/init" "$TMP/root/sbin/init"
	echo "root of $1" >"$TMP/root/etc/marker.txt"
}

# linuxkit_of ARCH TEXT: what `linuxkit build` leaves, $TMP/kit-*, with this command line.
linuxkit_of() {
	local folder=$TMP/kit
	rm -rf "$folder"
	mkdir -p "$folder"/containers/{onboot/000-dhcpcd,onboot/001-format,services/getty}/lower
	(
		cd "$folder" || exit
		zcat "$GUESTS/$1/initrd.img" | cpio --quiet -id
		for container in containers/*/*; do
			echo '{"ociVersion":"1.0.0"}' >"$container/config.json"
		done
		find . | LC_ALL=C sort | cpio --quiet -o -H newc | gzip -n
	) >"$TMP/kit-initrd.img"
	cp "$GUESTS/$1/kernel" "$TMP/kit-kernel"
	echo "$2" >"$TMP/kit-cmdline"
}

# fallback BOARD TEXT: slot a of the written disk, built with broken=a, does not come up: it is started
# three times, then slot b, whose marker is TEXT.
fallback() {
	local n
	for n in 1 2 3; do
		started "$1" --writable
		like "$out" 'LKFLASH-BROKEN slot=a LKFLASH-END' "slot a is started, try $n, and does not come up"
	done
	for n in 1 2; do
		started "$1" --writable
		marker_is "$2" "then slot b, time $n"
	done
}

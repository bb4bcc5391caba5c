#!/bin/bash
# lkflash build: the same inputs give the same bytes, whoever builds and wherever; what goes wrong is told
# with a way out, and leaves nothing behind; an image that is signed in the same go can be written.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
. tests/lib/build.sh
requires jq perl sfdisk mkfs.fat mcopy mke2fs cmp gzip tar setpriv mksquashfs

BOARD=orangepi-zero
build_options $BOARD
IN=$TMP/$BOARD
mkdir -p "$IN/root/sbin" "$IN/root/var/log" "$TMP/made"
for name in b a d c; do echo "$name" >"$IN/root/var/log/$name"; done
printf '#!/bin/sh\n' >"$IN/root/sbin/init"
chmod 755 "$IN/root/sbin/init"
ln -s ../sbin/init "$IN/root/var/link"
BASE=(--board "$BOARD" --boards-dir "$TMP/none" --firmware "$IN/firmware" --dtb "$IN/dtb")
ALL=("${BASE[@]}" --kernel "$IN/kernel" --initrd "$IN/initrd")

build() { run "$LKFLASH" build -q "$@"; }
same() { # FILE FILE NAME
	cmp "$1" "$2" >/dev/null 2>&1
	ok $? "$3"
}
differs() { # FILE FILE NAME
	! cmp -s "$1" "$2" && [ -s "$1" ] && [ -s "$2" ]
	ok $? "$3"
}
OUT=$TMP/made/image.raw

# boot_file PATH: what the image has at PATH of its boot partition.
boot_file() { mtype -i "$OUT@@1M" "::$1" 2>/dev/null; }
append_line() { boot_file extlinux/extlinux.conf | sed -n 's/^[[:space:]]*append //Ip'; }

# ---- The same inputs, the same bytes
build "${ALL[@]}" --rootfs "$IN/root" -o "$TMP/first.raw"
exits 0 "an image is made"
build "${ALL[@]}" --rootfs "$IN/root" -o "$TMP/second.raw"
same "$TMP/first.raw" "$TMP/second.raw" "made twice, it is the same"

# Elsewhere: other names, times, order of names in folders, user, umask, time zone and locale.
OTHER=$TMP/elsewhere
mkdir -m 777 "$OTHER" "$OTHER/tmp"
mkdir -p "$OTHER/in/root"
(cd "$IN" && find . -mindepth 1 ! -type l -print0 | LC_ALL=C sort -rz | cpio -0pd --quiet "$OTHER/in" 2>/dev/null)
(cd "$IN" && find . -type l -print0 | cpio -0pd --quiet "$OTHER/in" 2>/dev/null)
(cd "$IN" && find . -mindepth 1 -type d | LC_ALL=C sort -r | while read -r d; do chmod --reference="$d" "$OTHER/in/$d"; done)
find "$OTHER/in" -exec touch -h -d '2031-05-06 07:08:09' {} +
chmod -R a+rX "$OTHER" "$IN"
chmod 755 "$TMP"
elsewhere() { # OUT OPTION...
	local as=(env)
	[ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups env)
	run bash -c 'umask 077 && cd "$0" && exec "$@"' "$OTHER" "${as[@]}" TMPDIR="$OTHER/tmp" HOME=/ \
		TZ=Asia/Tokyo LC_ALL=C.UTF-8 MTOOLSRC=/dev/full MKE2FS_CONFIG=/dev/null "$LKFLASH" build -q \
		--board "$BOARD" --boards-dir "$TMP/none" --firmware in/firmware --dtb in/dtb --kernel in/kernel \
		--initrd in/initrd -o "$@"
}
elsewhere tmp/other.raw --rootfs in/root
exits 0 "another user makes it elsewhere"
same "$TMP/first.raw" "$OTHER/tmp/other.raw" "and it is the same"

tar -C "$IN/root" --sort=name --owner=0 --group=0 -cf "$TMP/root.tar" .
tar -C "$OTHER/in/root" --sort=none --owner=0 --group=0 -czf "$OTHER/in/root.tar.gz" .
build "${ALL[@]}" --rootfs "$TMP/root.tar" -o "$TMP/tar.raw"
exits 0 "an image is made of a tar"
elsewhere tmp/other.raw --rootfs in/root.tar.gz
same "$TMP/tar.raw" "$OTHER/tmp/other.raw" "a tar in another order, compressed, gives the same"
same "$TMP/tar.raw" "$TMP/first.raw" "and so does the folder it was made of"

build "${ALL[@]}" --rootfs "$IN/root" --slots 2 -o "$TMP/slots.raw"
exits 0 "an image with two systems is made"
elsewhere tmp/other.raw --rootfs in/root --slots 2
same "$TMP/slots.raw" "$OTHER/tmp/other.raw" "and elsewhere it is the same"

run env SOURCE_DATE_EPOCH=1700000000 "$LKFLASH" build -q "${ALL[@]}" --rootfs "$IN/root" -o "$TMP/second.raw"
differs "$TMP/first.raw" "$TMP/second.raw" "of another SOURCE_DATE_EPOCH, it differs"
build "${ALL[@]}" --rootfs "$IN/root" --seed other -o "$TMP/second.raw"
differs "$TMP/first.raw" "$TMP/second.raw" "of another seed, it differs"
disk_id() { "$LKFLASH" plan build --json "${ALL[@]}" "$@" | jq -r .disk_id; }
[ "$(disk_id)" != "$(disk_id --cmdline other)" ]
ok $? "without a seed, other inputs have other UUIDs"
is "$(disk_id --seed x)" "$(disk_id --seed x --cmdline other)" "with one, they have not"
is "$(disk_id)" "$(disk_id --size 1G)" "and the medium's size does not count"

# ---- Signed in the same go
make_keys
build "${ALL[@]}" --rootfs "$IN/root" -o "$OUT" --version 7 --sign "$TMP/keys/sign.key,$TMP/keys/sign.pem"
exits 0 "an image is built and signed"
run "$LKFLASH" write -q --boards-dir "$TMP/none" --board "$BOARD" --trust "$TMP/keys/ca.pem" "$OUT" "$TMP/disk.img"
exits 0 "it can be written"
run "$LKFLASH" verify -q --trust "$TMP/keys/ca.pem" "$OUT"
exits 0 "and verified"
run "$LKFLASH" write -q --boards-dir "$TMP/none" --board orangepi-pc --trust "$TMP/keys/ca.pem" "$OUT" "$TMP/disk.img"
exits 3 "and for another board it is refused"
rm -f "$TMP/made/"* "$TMP/disk.img"
mkdir "$OUT.lkm"
build "${ALL[@]}" --version 1 -o "$OUT" --sign "$TMP/keys/sign.key,$TMP/keys/sign.pem"
exits 2 "an image that cannot be signed is a failure"
like "$err" "$OUT is built, and not signed: .lkflash sign. does that\$" "which says what there is"
rmdir "$OUT.lkm"
rm -f "$TMP/made/"*

# ---- The command line
build "${ALL[@]}" --seed golden --rootfs "$IN/root" -o "$OUT" --cmdline 'root={root} x={boot} s={slot}.'
root_uuid=$(sfdisk --json "$OUT" | jq -r '.partitiontable.partitions[1].uuid | ascii_downcase')
boot_uuid=$(sfdisk --json "$OUT" | jq -r '.partitiontable.partitions[0].uuid | ascii_downcase')
is "$(append_line)" "console=ttyS0,115200 root=PARTUUID=$root_uuid x=PARTUUID=$boot_uuid s=." \
	"{root}, {boot} and {slot} are filled in"
build "${ALL[@]}" --seed golden --rootfs "$IN/root" -o "$OUT" --cmdline 'console=ttyS1'
is "$(append_line)" "console=ttyS1 root=PARTUUID=$root_uuid ro rootwait" \
	"a console= stands in for the profile's, and root= is added"
run "$LKFLASH" plan build --json "${ALL[@]}" --cmdline 'on={slot}' --slots 2
is "$(jq -r '.slots[].cmdline' <<<"$out" | sed 's/.*on=//' | xargs)" "a b" "and {slot} is that of each"

build --board "$BOARD" --boards-dir "$TMP/none" --firmware "$IN/firmware" --kernel "$IN/kernel" -o "$OUT"
exits 0 "without --dtb an image is made"
boot_file extlinux/extlinux.conf | grep -q fdt
is "${PIPESTATUS[*]}" "0 1" "and its kernel gets the device tree that U-Boot has"

# ---- Microcode and compressed kernels
printf 'ucode' >"$TMP/ucode"
build "${ALL[@]}" --ucode "$TMP/ucode" -o "$OUT"
is "$(boot_file lkflash/initrd | tr '\0' .)" "ucode...an initrd" "microcode is in front of the initrd"
gzip -c "$IN/kernel" >"$TMP/kernel.gz"
build "${BASE[@]}" --kernel "$TMP/kernel.gz" -o "$OUT"
exits 0 "a kernel compressed by gzip is taken"
boot_file lkflash/kernel | cmp -s - "$IN/kernel"
ok $? "and unpacked"
head -c 20 "$TMP/kernel.gz" >"$TMP/cut.gz"
rm "$OUT"

# ---- LinuxKit
mkdir "$TMP/lk" "$TMP/lk/tar" "$TMP/lk/full"
printf 'console=ttyS9 lk\n' >"$TMP/lk/tar/cmdline"
cp "$IN/kernel" "$IN/initrd" "$TMP/lk/tar"
mv "$TMP/lk/tar/initrd" "$TMP/lk/tar/initrd.img"
tar -C "$TMP/lk/tar" -cf "$TMP/lk/os-initrd.tar" .
for part in kernel initrd.img cmdline; do cp "$TMP/lk/tar/$part" "$TMP/lk/plain-$part"; done
for part in kernel cmdline; do cp "$TMP/lk/tar/$part" "$TMP/lk/squash-$part"; done
mksquashfs "$IN/root" "$TMP/lk/squash-squashfs.img" -quiet -no-progress >/dev/null
mkdir -p "$TMP/lk/full/boot/dtb/vendor" "$TMP/lk/full/etc"
cp "$IN/kernel" "$TMP/lk/tar/cmdline" "$TMP/lk/full/boot"
cp "$IN"/dtb/* "$TMP/lk/full/boot/dtb"
echo lk >"$TMP/lk/full/etc/hostname"
tar -C "$TMP/lk/full" -cf "$TMP/lk/full.tar" boot etc

linuxkit() { build "${BASE[@]}" -o "$OUT" --linuxkit "$@"; }
for where in plain os os-initrd.tar; do
	rm -f "$OUT"
	linuxkit "$TMP/lk/$where"
	exits 0 "a LinuxKit build is taken as $where"
	is "$(append_line)" "console=ttyS9 lk" "$where: with its command line"
	is "$(boot_file lkflash/initrd)" "an initrd" "$where: with its initrd"
	boot_file lkflash/kernel | cmp -s - "$IN/kernel"
	ok $? "$where: with its kernel"
done
linuxkit "$TMP/lk/plain" --cmdline mine
is "$(append_line)" "console=ttyS0,115200 mine" "--cmdline stands in for that of the build"
linuxkit "$TMP/lk/squash"
exits 0 "a LinuxKit build with a squashfs is taken"
like "$(append_line)" "^console=ttyS9 lk root=PARTUUID=.* ro rootwait" "whose root is found"
start_bytes=$(sfdisk --json "$OUT" | jq '.partitiontable.partitions[1].start * 512')
cmp -s -n "$(stat -c %s "$TMP/lk/squash-squashfs.img")" "$TMP/lk/squash-squashfs.img" "$OUT" 0 "$start_bytes"
ok $? "as it is"
build --board "$BOARD" --boards-dir "$TMP/none" --firmware "$IN/firmware" -o "$OUT" --linuxkit "$TMP/lk/full"
exits 0 "a LinuxKit tar of a whole system is taken, with its device trees"
boot_file lkflash/kernel | cmp -s - "$IN/kernel"
ok $? "and its kernel starts it"
is "$(debugfs -R 'ls -p /' "$OUT?offset=$start_bytes" 2>/dev/null | awk -F/ '$6 ~ /^[a-z]/ && $6 != "lost+found" {print $6}' | xargs)" \
	"etc" "and what boots it is not in its root file system"
rm "$OUT"

# ---- What goes wrong. refused STATUS WORDS NAME OPTION...: with nothing left in the folder.
refused() {
	local wanted=$1 words=$2 name=$3
	shift 3
	build "$@"
	exits "$wanted" "$name is refused"
	like "$err" "$words" "and it is told: $words"
	is "$(ls "$TMP/made")" "" "and nothing is left"
	rm -f "$TMP/made/"*
}
TO=(-o "$OUT")
refused 2 'board ID is needed' "no board" --kernel "$IN/kernel" "${TO[@]}"
refused 2 'nowhere' "an unknown board" --board nowhere --kernel "$IN/kernel" "${TO[@]}"
refused 2 'o FILE is needed' "no output" "${ALL[@]}"
refused 2 'say -o image.raw' "an image for standard output" "${ALL[@]}" -o -
run "$LKFLASH" plan build "${ALL[@]}" --boot-file "$IN/kernel:what?"
exits 2 "what making an image would refuse, its plan refuses"
like "$err" 'what\?: a name in a FAT' "in the same words"
refused 2 'give --kernel FILE or --linuxkit' "no kernel" "${BASE[@]}" "${TO[@]}"
build_options arm64-uefi
refused 2 'kernel for arm64, and the board is arm;' "a kernel of another machine" "${BASE[@]}" --kernel "$TMP/arm64-uefi/kernel" "${TO[@]}"
refused 2 'is no Linux kernel' "what is no kernel" "${BASE[@]}" --kernel "$IN/initrd" "${TO[@]}"
refused 4 'unpacking .*cut.gz.* is cut short' "a compressed kernel that is cut short" "${BASE[@]}" --kernel "$TMP/cut.gz" "${TO[@]}"
refused 1 'none: No such file' "an initrd that is not there" "${BASE[@]}" --kernel "$IN/kernel" --initrd "$TMP/no/none" "${TO[@]}"
: >"$TMP/empty"
refused 2 'empty is empty' "an empty initrd" "${BASE[@]}" --kernel "$IN/kernel" --initrd "$TMP/empty" "${TO[@]}"
refused 2 'sun8i-h2-plus-orangepi-zero.dtb' "a folder of device trees without the board's" --board "$BOARD" --boards-dir "$TMP/none" --firmware "$IN/firmware" --dtb "$IN/root" --kernel "$IN/kernel" "${TO[@]}"
refused 2 "lkflash firmware $BOARD" "missing firmware" --board "$BOARD" --boards-dir "$TMP/none" --firmware "$TMP/none" --dtb "$IN/dtb" --kernel "$IN/kernel" "${TO[@]}"
refused 2 'leave out --kernel' "LinuxKit and a kernel" "${ALL[@]}" --linuxkit "$TMP/lk/plain" "${TO[@]}"
refused 2 'leave out --rootfs' "LinuxKit's root file system and another" "${BASE[@]}" --linuxkit "$TMP/lk/squash" --rootfs "$IN/root" "${TO[@]}"
refused 2 'there is no .*nothing-kernel' "a LinuxKit build that is not there" "${BASE[@]}" --linuxkit "$TMP/lk/nothing" "${TO[@]}"
cp "$TMP/lk/plain-kernel" "$TMP/lk/half-kernel"
refused 1 'half-cmdline: No such file' "a LinuxKit build without its command line" "${BASE[@]}" --linuxkit "$TMP/lk/half" "${TO[@]}"
cp "$TMP/lk/plain-cmdline" "$TMP/lk/half-cmdline"
refused 2 'neither .*half-initrd.img nor .*half-squashfs.img' "a LinuxKit build without an initrd" "${BASE[@]}" --linuxkit "$TMP/lk/half" "${TO[@]}"
refused 2 'holds neither boot/kernel nor kernel' "a tar of something else" "${BASE[@]}" --linuxkit "$TMP/root.tar" "${TO[@]}"
refused 2 'plain-kernel as a tar: .*; --linuxkit takes the prefix' "a file of a LinuxKit build" "${BASE[@]}" --linuxkit "$TMP/lk/plain-kernel" "${TO[@]}"
refused 2 'initrd as a tar: .*; a folder, a tar, or an image' "a root file system that is none" "${ALL[@]}" --rootfs "$IN/initrd" "${TO[@]}"

refused 2 'boot-file SRC:DST' "a boot file without a colon" "${ALL[@]}" --boot-file "$IN/initrd" "${TO[@]}"
refused 2 'there already' "a boot file twice" "${ALL[@]}" --boot-file "$IN/initrd:x" --boot-file "$IN/kernel:x" "${TO[@]}"
refused 2 'there already' "a boot file in place of a method's" "${ALL[@]}" --boot-file "$IN/initrd:lkflash/kernel" "${TO[@]}"
refused 2 'there already|same name' "a boot file in place of a method's, in capitals" "${ALL[@]}" --boot-file "$IN/initrd:LKFLASH/KERNEL" "${TO[@]}"
refused 1 'none: No such file' "a boot file that is not there" "${ALL[@]}" --boot-file "$TMP/no/none:y" "${TO[@]}"
refused 2 'must have [0-9]*;' "a medium too small" "${ALL[@]}" --size 1M "${TO[@]}"
refused 2 'no multiple of 512' "a size that is no whole number of sectors" "${ALL[@]}" --size 100000001 "${TO[@]}"
build_options beagleplay
refused 2 'only from a medium with table mbr' "a table that the board does not read" "${options[@]:0:${#options[@]}}" --table gpt
refused 2 'profile says raw-blobs|does not start that way' "a method of another kind" "${ALL[@]}" --method grub "${TO[@]}"
refused 2 'no boot method|boot methods' "a method that there is not" "${ALL[@]}" --method lilo "${TO[@]}"
refused 2 'ebbr|cannot choose between slots' "two slots by a method that cannot choose" "${ALL[@]}" --method ebbr --slots 2 "${TO[@]}"
refused 2 '1 or 2|slots' "three slots" "${ALL[@]}" --slots 3 "${TO[@]}"
refused 2 'root file system; give --rootfs' "{root} without one" "${ALL[@]}" --cmdline 'root={root}' "${TO[@]}"
refused 2 'must be one line' "a command line of two" "${ALL[@]}" --cmdline $'a\nb' "${TO[@]}"
refused 2 'no tar|tar' "a root file system that is none" "${ALL[@]}" --rootfs "$IN/kernel" "${TO[@]}"
head -c 1000 "$TMP/lk/squash-squashfs.img" >"$TMP/cut.img"
refused 2 'no multiple of 512.*cut short' "an image of a root file system that is cut short" "${ALL[@]}" --rootfs "$TMP/cut.img" "${TO[@]}"
refused 2 'KEY,CERT' "half a signature" "${ALL[@]}" --sign "$TMP/keys/sign.key" "${TO[@]}"
refused 2 'add --sign' "a name without a signature" "${ALL[@]}" --name x "${TO[@]}"
mkdir "$TMP/profiles"
"$LKFLASH" boards show x86-uefi >/dev/null
sed 's/^id: .*/id: small/' boards/data/$BOARD.yaml >"$TMP/profiles/small.yaml"
perl -0pi -e 's/(content: boot\n(?:.*\n)*?)/$1/; s/minimum: 64M/size: 8M/' "$TMP/profiles/small.yaml"
truncate -s 9M "$TMP/large"
refused 2 'partition boot' "more boot files than a partition of a fixed size holds" --board small --boards-dir "$TMP/profiles" \
	--firmware "$IN/firmware" --dtb "$IN/dtb" --kernel "$IN/kernel" --initrd "$TMP/large" "${TO[@]}"

# ---- Where the image goes
kept() { # WORDS NAME PATH OPTION...: it is refused, and what is at PATH stays.
	local before words=$1 name=$2 path=$3
	shift 3
	before=$(stat -c '%F %i %s' "$path")
	build "$@" -o "$path"
	exits 2 "$name is refused as the image"
	like "$err" "$words" "and it is told: $words"
	is "$(stat -c '%F %i %s' "$path")" "$before" "and stays as it is"
}
kept 'is there and no regular file' "a device" /dev/null "${ALL[@]}"
kept 'is there and no regular file' "a folder" "$TMP/none" "${ALL[@]}"
kept 'is read for it' "the kernel" "$IN/kernel" "${ALL[@]}"
kept 'is read for it' "the initrd" "$IN/initrd" "${ALL[@]}"
ln "$IN/kernel" "$TMP/hard"
kept 'is read for it' "a hard link to the kernel" "$TMP/hard" "${ALL[@]}"
kept 'is read for it' "a tar of the root file system" "$TMP/root.tar" "${ALL[@]}" --rootfs "$TMP/root.tar"
kept 'is read for it' "a file of the root file system" "$IN/root/sbin/init" "${ALL[@]}" --rootfs "$IN/root"
kept 'is read for it' "a device tree" "$(echo "$IN"/dtb/*)" "${ALL[@]}"
kept 'is read for it' "a boot file" "$TMP/large" "${ALL[@]}" --boot-file "$TMP/large:large"
kept 'is read for it' "firmware" "$(echo "$IN"/firmware/*)" "${ALL[@]}"
kept 'is read for it' "a part of a LinuxKit build" "$TMP/lk/plain-cmdline" "${BASE[@]}" --linuxkit "$TMP/lk/plain"
kept 'is read for it' "the tar of a LinuxKit build" "$TMP/lk/os-initrd.tar" "${BASE[@]}" --linuxkit "$TMP/lk/os"
kept 'is read for it' "the key" "$TMP/keys/sign.key" "${ALL[@]}" --version 1 --sign "$TMP/keys/sign.key,$TMP/keys/sign.pem"
kept 'is read for it' "the certificate" "$TMP/keys/sign.pem" "${ALL[@]}" --version 1 --sign "$TMP/keys/sign.key,$TMP/keys/sign.pem"
elsewhere "$OUT"
exits 1 "a folder that may not be written to is a failure"
like "$err" "creating $OUT: Permission denied" "and it is told"
refused 1 'No such file' "a folder that is not there" "${ALL[@]}" -o "$TMP/no/image.raw"

# ---- No room, and no patience. Memory is a small file system that anybody may fill.
full() { # SIZE WORDS NAME
	mount -t tmpfs -o "size=$1" none "$TMP/small" || skip_all "file systems cannot be mounted here"
	printf old >"$TMP/small/image.raw"
	build "${ALL[@]}" --rootfs "$IN/root" -o "$TMP/small/image.raw"
	exits 1 "$3 is a failure"
	like "$err" "$2" "and it is told: $2"
	is "$(ls "$TMP/small") $(cat "$TMP/small/image.raw")" "image.raw old" "and what was there is there"
	umount "$TMP/small"
}
mkdir "$TMP/small"
at_end "umount $TMP/small"
full 8k 'it takes [0-9]+ bytes, and its file system has [0-9]+ left; make room' "a file system that is too small"
full 200k 'image.raw' "a file system that becomes full"

printf old >"$OUT"
truncate -s 1G "$TMP/huge.img"
printf 'hsqs' | dd of="$TMP/huge.img" conv=notrunc status=none
mkdir "$TMP/scratch"
env --default-signal=INT TMPDIR="$TMP/scratch" "$LKFLASH" build -q "${ALL[@]}" --rootfs "$TMP/huge.img" -o "$OUT" 2>"$TMP/err" &
pid=$!
wait_for 60 compgen -G "$OUT.??????" >/dev/null
ok $? "an image is under way"
kill -INT $pid
wait $pid
is $? 130 "an interrupted build ends as interrupted programs do"
is "$(ls "$TMP/made") $(head -c 10 "$OUT" | tr -d '\0') $(ls "$TMP/scratch")" "image.raw old " "and what was there is there, and nothing else"

finish

#!/bin/bash
# File systems that are made, by the eyes of the programs that check them.
. "$(dirname "$0")/../lib/tap.sh"
requires mke2fs debugfs e2fsck dumpe2fs mksquashfs unsquashfs mkfs.fat fsck.fat mcopy tar

MKFS_TREE=${BUILD:-$PWD/build/release}/tests/lib/mkfs_tree
OFFSET=1048576

# fill FOLDER: files, links and a FIFO; with a second argument in another order and with other owners.
fill() {
	local names=(one two three) numbers=(1 1 300) i name
	if [ $# = 2 ]; then
		names=(three two one)
		numbers=(300 -1 1)
	fi
	mkdir -p "$1/etc/conf.d"
	for name in "${names[@]}"; do echo "$name" >"$1/etc/conf.d/$name"; done
	for i in $(seq "${numbers[@]}"); do echo "$i" >"$1/etc/name-$i"; done
	truncate -s 2100M "$1/sparse"
	echo x >"$1/a \"b\" 'c' \$d"
	ln "$1/etc/conf.d/one" "$1/hard"
	ln -s "$(printf 'x%.0s' {1..300})" "$1/long"
	mkfifo "$1/fifo"
	chmod 640 "$1/etc/conf.d/two"
	find "$1" -exec touch -h -d @1500000000 {} +
}

fill "$TMP/a"
(umask 077; fill "$TMP/b" reversed)
[ "$(id -u)" != 0 ] || chown -R 12:34 "$TMP/b"
find "$TMP/a" "$TMP/b" -type d -exec chmod 755 {} + -o -type f ! -name two -exec chmod 644 {} +
find "$TMP/a" "$TMP/b" -type p -exec chmod 644 {} +
chmod 640 "$TMP"/[ab]/etc/conf.d/two
find "$TMP/a" "$TMP/b" -exec touch -h -d @1500000000 {} +

# on_disk COMMAND: what debugfs says to it.
on_disk() { debugfs -R "$1" "$TMP/disk?offset=$OFFSET" 2>/dev/null; }
# is_clean_ext4 NAME
is_clean_ext4() {
	run e2fsck -fn "$TMP/disk?offset=$OFFSET"
	exits 0 "$1 is clean"
}

for size in need 40M 300M 5G; do
	run "$MKFS_TREE" ext4 - "$TMP/disk" $OFFSET $size grow
	exits 0 "an empty ext4 of $size is made"
	is_clean_ext4 "it"
	like "$(dumpe2fs -h "$TMP/disk?offset=$OFFSET" 2>/dev/null)" "Reserved GDT blocks: +25[0-9]" \
		"and it has room to grow to 2 TiB"
done

run "$MKFS_TREE" ext4 "$TMP/a" "$TMP/disk" $OFFSET need
exits 0 "an ext4 that is just large enough is made"
is_clean_ext4 "it"
cmp -s -n $OFFSET "$TMP/disk" /dev/zero
ok $? "nothing in front of it is written"
tail -c 1048576 "$TMP/disk" | cmp -s -n 1048576 - /dev/zero
ok $? "nor behind it"
is "$(on_disk 'cat "/a ""b"" '"'c' \$d\"")" x "a file with an odd name is there"
like "$(on_disk 'stat /hard')" "Links: 2 " "a hard link counts"
like "$(on_disk 'stat /etc/conf.d/two')" "Mode: +0640" "a mode is kept"
like "$(on_disk 'stat /etc')" "mtime: 0x59682f00" "a folder's time is kept"
like "$(on_disk 'stat /etc')" "ctime: 0x5e0be100" "and it changed at the time of the image"
like "$(on_disk 'stat /sparse')" "Size: 2202009600" "a file of 2.1 GiB is there"
like "$(on_disk 'stat /sparse')" "Blockcount: 0" "and its zeros take no room"
mv "$TMP/disk" "$TMP/first"
SCRATCH=$TMP TZ=Asia/Tokyo run "$MKFS_TREE" ext4 "$TMP/b" "$TMP/disk" $OFFSET need
exits 0 "it is made again elsewhere"
cmp -s "$TMP/first" "$TMP/disk"
ok $? "and has the same bytes"
rm -f "$TMP/first" "$TMP/disk"

# Owners, devices and attributes come from a tar.
tar --owner=7 --group=70000 --numeric-owner --format=pax --pax-option=SCHILY.xattr.user.note:=kept \
	-C "$TMP/a" -cf "$TMP/a.tar" etc
run "$MKFS_TREE" ext4 "$TMP/a.tar" "$TMP/disk" $OFFSET need
exits 0 "an ext4 of a tar is made"
is_clean_ext4 "it"
like "$(on_disk 'stat /etc/name-7')" "User: +7 +Group: +70000" "with owners"
is "$(on_disk 'ea_get -V /etc/name-7 user.note')" kept "and attributes"

run "$MKFS_TREE" ext4 "$TMP/a" "$TMP/disk" $OFFSET 12M
exits 2 "an ext4 that is too small is not made"
like "$err" "make its partition larger" "with the way out"
run "$MKFS_TREE" nofs - "$TMP/disk" 0 1M
exits 2 "a file system that nobody knows is refused"
like "$err" "there are vfat, ext4, squashfs" "with those there are"

rm "$TMP"/[ab]/sparse
run "$MKFS_TREE" squashfs "$TMP/a" "$TMP/squash"
exits 0 "a squashfs is made"
like "$(unsquashfs -lls "$TMP/squash")" "^prw-r--r-- root/root +0 2017-07-14 .*/fifo" "of everything"
is $(($(stat -c %s "$TMP/squash") % 4096)) 0 "in whole blocks of 4096 bytes"
SCRATCH=$TMP SOURCE_DATE_EPOCH=5 run "$MKFS_TREE" squashfs "$TMP/b" "$TMP/again"
exits 0 "it is made again elsewhere"
cmp -s "$TMP/squash" "$TMP/again"
ok $? "and has the same bytes"
TIME=5000000000 run "$MKFS_TREE" squashfs "$TMP/a" "$TMP/again"
exits 2 "a squashfs of a time that it does not know is refused"
like "$err" "squashfs knows 0 to 4294967295" "with the limits"

mkdir -p "$TMP/boot/EFI"
echo boot >"$TMP/boot/EFI/file"
run "$MKFS_TREE" vfat "$TMP/boot" "$TMP/disk" 0 64M
exits 0 "a FAT is made"
run fsck.fat -n "$TMP/disk"
exits 0 "it is clean"
finish

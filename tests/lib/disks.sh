# Bad disks for shell tests: source it after tap.sh.
# shellcheck shell=bash

FUSE_DISK=${BUILD:-$PWD/build/release}/tests/lib/fuse_disk
BAD_DISK_BYTES=16777216

is_disk_there() { [ "$(stat -c %s "$1" 2>/dev/null)" = "$BAD_DISK_BYTES" ]; }

# bad_disk VARIABLE NAME [fuse_disk options]: a loop device on a bad disk of 16 MiB, which keeps in
# $TMP/NAME what is on it. Direct, so that no page cache answers in place of the disk.
bad_disk() {
	local path=$TMP/$2
	: >"$path.disk"
	"$FUSE_DISK" --size "$BAD_DISK_BYTES" --store "$path" "${@:3}" "$path.disk" &
	# Killed, not unmounted: what it never answered must not keep anybody waiting.
	at_end "kill $!; wait $!"
	wait_for 60 is_disk_there "$path.disk" || skip_all "FUSE is not to be had here"
	loop_device "$1" "$path.disk" --direct-io=on
}

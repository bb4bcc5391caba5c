#!/bin/bash
# Command lines that go wrong easily: what must not get lost, and must not get onto a target.
. "$(dirname "$0")/../lib/tap.sh"
requires cmp openssl losetup

make_keys
TRUST=(--trust "$TMP/keys/ca.pem")
head -c 3145728 /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw"

# ---- The image as its own target
# refuses_input FILE TARGET NAME: writing to TARGET, which is FILE, is refused; FILE stays.
refuses_input() {
	local before
	before=$(sha256sum <"$1")
	run "$LKFLASH" write "${TRUST[@]}" "$IMAGE" "$2"
	exits 3 "$3 is refused as the target"
	like "$err" "itself" "and the reason is named"
	is "$(sha256sum <"$1")" "$before" "and it stays as it was"
}
IMAGE=$TMP/image.raw
refuses_input "$TMP/image.raw" "$TMP/image.raw" "the image"
ln "$TMP/image.raw" "$TMP/hard.raw"
refuses_input "$TMP/image.raw" "$TMP/hard.raw" "a hard link to the image"
ln -s image.raw "$TMP/soft.raw"
refuses_input "$TMP/image.raw" "$TMP/soft.raw" "a symbolic link to the image"
head -c 700 /dev/urandom >"$TMP/tiny.raw"
sign_image "$TMP/tiny.raw"
IMAGE=$TMP/tiny.raw refuses_input "$TMP/tiny.raw.lkm" "$TMP/tiny.raw.lkm" "the manifest"
run bash -c '"$0" write "${@:2}" --manifest "$1.lkm" - "$1" <"$1"' "$LKFLASH" "$TMP/image.raw" \
	"${TRUST[@]}"
exits 3 "and the image on standard input"

# ---- What can be read once
mkfifo "$TMP/fifo"
truncate -s 4M "$TMP/a.img" "$TMP/b.img"
cat "$TMP/image.raw" >"$TMP/fifo" 2>/dev/null &
run timeout 20 "$LKFLASH" write --delta "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" "$TMP/fifo" "$TMP/a.img" "$TMP/b.img"
exits 2 "a pipe cannot give two targets what each of them lacks"
like "$err" "only once" "and the reason is named"
cmp -s -n 4194304 "$TMP/a.img" /dev/zero
ok $? "and nothing is written"

# ---- Closed descriptors
for closed in '>&-' '2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
	for option in '' --json; do
		rm -f "$TMP/new.img"
		run bash -c "\"\$@\" $option $closed" bash "$LKFLASH" write "${TRUST[@]}" \
			"$TMP/image.raw" "$TMP/new.img"
		cmp -s "$TMP/image.raw" "$TMP/new.img"
		ok $? "with $closed no message gets into the target${option:+, with $option}"
	done
done
run bash -c '"$0" --version >&-' "$LKFLASH"
exits 1 "output that nobody can get is a failure"

# ---- Mistyped disks
if [ -w /dev ]; then
	name=lkflash-no-such-disk.$$
	at_end "rm -f /dev/$name"
	ln -s /dev "$TMP/devices"
	for path in "$name" "//dev/$name" "$TMP/../../dev/$name" "$TMP/devices/$name"; do
		run bash -c 'cd /dev && "$@"' bash "$LKFLASH" write "${TRUST[@]}" \
			"$TMP/image.raw" "$path"
		exits 3 "a disk that is not there is not made into a file: $path"
		[ ! -e "/dev/$name" ]
		ok $? "and none is found"
	done
fi

# ---- A target that goes away
mkfifo "$TMP/image.fifo"
{
	head -c 1048576 "$TMP/image.raw"
	wait_for 60 test -s "$TMP/gone.img"
	rm "$TMP/gone.img"
	tail -c +1048577 "$TMP/image.raw"
} >"$TMP/image.fifo" &
run timeout 60 "$LKFLASH" write "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" "$TMP/image.fifo" \
	"$TMP/gone.img"
exits 1 "a file that is removed while it is written is no success"
like "$err" "removed or replaced" "and the reason is named"
wait

# ---- Results in the place of devices and pipes
for verb in sign pack; do
	run "$LKFLASH" "$verb" --key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" \
		--board generic --version 1 --out "$TMP/fifo" "$TMP/tiny.raw"
	exits 2 "$verb replaces no pipe by its result"
	[ -p "$TMP/fifo" ]
	ok $? "which is still there"
done

# ---- Loop devices
cp "$TMP/image.raw" "$TMP/backing.raw"
cp "$TMP/image.raw.lkm" "$TMP/backing.raw.lkm"
loop_device LOOP "$TMP/backing.raw"
IMAGE=$TMP/backing.raw refuses_input "$TMP/backing.raw" "$LOOP" "a loop device on the image"
run "$LKFLASH" write "${TRUST[@]}" --manifest "$TMP/image.raw.lkm" "$LOOP" "$LOOP"
exits 3 "and the device that the image is read from"

finish

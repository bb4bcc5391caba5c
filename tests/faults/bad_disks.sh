#!/bin/bash
# Disks that answer every request and do not keep what they are given: what heals is told and finished;
# what does not is told for what it is, and nothing boots from it.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/disks.sh"
requires losetup sfdisk cmp perl
disk=''

make_keys
bootable_image "$TMP/image.raw" 3145728
sign_image "$TMP/image.raw" --chunk-size 256K
WRITE=("$LKFLASH" write --trust "$TMP/keys/ca.pem" "$TMP/image.raw")

# writes NAME WHAT [OPTIONS...]: the image comes to be on $disk, whose content is in $TMP/NAME.
writes() {
	run "${WRITE[@]}" "${@:3}" "$disk"
	exits 0 "$2 is written"
	cmp -s -n 3145728 "$TMP/$1" "$TMP/image.raw"
	ok $? "and holds the image"
}

# fails NAME WORDS WHAT [OPTIONS...]: status 5, the words, and nothing that boots.
fails() {
	run "${WRITE[@]}" "${@:4}" "$disk"
	exits 5 "$3 is no success"
	like "$(tail -n 1 <<<"$err")" "$2.*incomplete and will not boot" "and is told, with the state"
	cmp -s -n 4096 "$TMP/$1" /dev/zero
	ok $? "which does not boot"
}

# ---- Disks that are well
bad_disk disk well
writes well "a disk made like this" --capacity-probe always
bad_disk disk plain --no-zeroing
writes plain "one that cannot zero by itself"
bad_disk disk late --fault any:hold:ms=20:nth=3
writes late "one that answers late"

# ---- What heals
# heals NAME WORDS WHAT: written in the end, and the words are told on the way.
heals() {
	writes "$1" "$3"
	like "$err" "$2; writing it again, try 1 of 3" "and the fault is told"
}
FLIPPED='chunk 9 at byte 2359296: .*byte 2500000, 1 byte long; one flipped bit: bit 0 of byte 2500000'
bad_disk disk flip_once --fault write:flip:at=2500000:count=1
heals flip_once "$FLIPPED" "a disk that turns a bit once"
bad_disk disk misread_once --fault read:flip:at=2500000:count=1
heals misread_once "$FLIPPED" "a disk that turns a bit once when read"
bad_disk disk unread_once --fault read:fail:at=2500000:size=512:count=1
heals unread_once "reading at byte [0-9]*: Input/output error" "a disk that cannot be read once"
bad_disk disk forgets_twice --fault write:drop:at=1M:size=64K:count=2
heals forgets_twice "byte 1048576, 65536 bytes long; reads as zeros" "a disk that forgets two writes"
bad_disk disk commit_once --fault write:flip:at=510:nth=2:count=1
heals commit_once "flipped bit: bit 0 of byte 510" "a disk that turns a bit of the boot sector"

# ---- What does not
bad_disk disk flip_once_more --fault write:flip:at=2500000:count=1
fails flip_once_more "$FLIPPED; the medium is bad" "what could be healed, with --retries 0," --retries 0
bad_disk disk flipped --fault write:flip:at=2500000
fails flipped "$FLIPPED; written 3 more times in vain; the medium is bad" "a disk that turns a bit"
bad_disk disk misread --fault read:flip:at=2500000
fails misread "$FLIPPED; .*the medium is bad" "a disk that turns a bit when read"
bad_disk disk forgets --fault write:drop:at=1M:size=4K
# No byte there is that of the image.
perl -0777 -ne 'print ~$_' "$TMP/image.raw" | dd of="$TMP/forgets" bs=1M conv=notrunc status=none
fails forgets "byte 1048576, 4096 bytes long; reads as other bytes; .*is bad" "a disk that forgets"
bad_disk disk ones --fault write:ones:at=2M:size=64K
fails ones "byte 2097152, 65536 bytes long; reads as 0xff bytes; .*is bad" "a disk stuck at ones"
bad_disk disk zeros --fault read:zeros:at=2M:size=64K
fails zeros "byte 2097152, 65536 bytes long; reads as zeros; .*is bad" "a disk stuck at zeros"

# ---- Counterfeits
WRAPS='reads as the content of byte [0-9]+: the medium wraps, as counterfeit ones do'
bad_disk disk wraps --real 2M
fails wraps "medium is bad" "a disk that wraps, though nobody probed it," --capacity-probe never
like "$err" "$WRAPS" "and the read-back sees that it wraps"

# probe_finds NAME WHAT: it is found before anything of the image is written, and nothing has changed.
probe_finds() {
	head -c 3145728 /dev/urandom | dd of="$TMP/$1" bs=1M conv=notrunc status=none
	cp "$TMP/$1" "$TMP/before"
	run "${WRITE[@]}" -q --capacity-probe always "$disk"
	exits 5 "$2 is found by the probe"
	like "$err" "the medium is counterfeit or broken: it claims 16.0 MiB" "and told"
	cmp -s "$TMP/$1" "$TMP/before"
	ok $? "with all on it as it was"
}
bad_disk disk half --real 8M
probe_finds half "a disk of 8 MiB that claims 16"
bad_disk disk odd --real 10M
probe_finds odd "a disk of 10 MiB that claims 16"
bad_disk disk small --real 4M
probe_finds small "a disk of 4 MiB that claims 16"
bad_disk disk lossy --fault write:drop:at=8M:size=8M
probe_finds lossy "a disk that loses what is behind 8 MiB"

finish

#!/bin/bash
# Images of any time: what a file system cannot say becomes the nearest that it can.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
. tests/lib/build.sh
requires jq perl mkfs.fat mcopy mdir fsck.fat

build_options x86-uefi
options+=(--no-data)

# fat_time SECONDS TEXT: of a folder in the boot partition that was built at that time.
fat_time() {
	run env "SOURCE_DATE_EPOCH=$1" "$LKFLASH" build -q "${options[@]}"
	exits 0 "time $1: an image is built"
	like "$(TZ=UTC LC_ALL=C mdir -i "$TMP/image.raw@@1M" ::/EFI)" "BOOT *<DIR> *$2" \
		"time $1: the FAT says $2"
}

fat_time 0 "1980-01-01 *0:00"
fat_time 315532800 "1980-01-01 *0:00"
fat_time 1000000000 "2001-09-09 *1:46"
fat_time 4354819200 "2107-12-31 *23:59"
fat_time 9223372036854775807 "2107-12-31 *23:59"

finish

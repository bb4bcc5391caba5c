#!/bin/bash
# Two images for each board, with firmware as large as the profile allows: one system with the table
# that the profile makes, and two with the other one where the board reads it. The programs of
# their makers find no fault in tables and file systems, and the profile finds what its board looks
# for. (tests/golden/build.sh has the smallest medium and the text of plans.)
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
. tests/lib/build.sh
requires jq perl sfdisk mkfs.fat fsck.fat mcopy mke2fs e2fsck grub-mkimage dd

IMAGE=$TMP/image.raw

# faults START_BYTES SIZE_BYTES FILE_SYSTEM: what the checker of that file system says is wrong.
faults() {
	case $3 in
	vfat)
		dd if="$IMAGE" of="$TMP/part" bs=1M iflag=skip_bytes,count_bytes skip="$1" count="$2" \
			conv=sparse status=none
		fsck.fat -n "$TMP/part" 2>&1 || true
		rm "$TMP/part"
		;;
	ext4) e2fsck -fn "$IMAGE?offset=$1" 2>&1 ;;
	*) echo "no checker of $3 is known" ;;
	esac | grep -vE '^e2fsck |^fsck.fat |^Pass [1-5]|: [0-9]+/[0-9]+ (files|inodes)|: [0-9]+ files, '
}

# all_faults: of every file system that the plan in $TMP/plan.json tells.
all_faults() {
	local start size kind
	while read -r start size kind; do
		faults "$start" "$size" "$kind"
	done < <(jq -r '.partitions[] | select(.file_system) | "\(.start_bytes) \(.size_bytes) \(.file_system)"' \
		"$TMP/plan.json")
}

# check BOARD NAME [options of build]
check() {
	local board=$1 name="$1, $2" all=("${options[@]}" "${@:3}")
	run "$LKFLASH" plan build --json "${all[@]}"
	exits 0 "$name: it can be planned"
	cp "$TMP/out" "$TMP/plan.json"
	run "$LKFLASH" build -q "${all[@]}" --size "$(jq .minimum_bytes "$TMP/plan.json")"
	exits 0 "$name: it is made"
	is "$(sfdisk -V -q "$IMAGE" 2>&1)" "" "$name: sfdisk finds no fault in the table"
	is "$(sfdisk --json "$IMAGE" 2>/dev/null | jq -c '[.partitiontable.partitions[] | [.start, .size]]')" \
		"$(jq -c '[.partitions[] | [.start_bytes / 512, .size_bytes / 512]]' "$TMP/plan.json")" \
		"$name: partitions are where the plan says"
	is "$(all_faults)" "" "$name: there is no fault in file systems"
	run "$LKFLASH" plan --allow-unsigned --board "$board" --boards-dir "$TMP/none" "$IMAGE" \
		"$TMP/disk.img"
	exits 0 "$name: the profile finds what firmware looks for"
}

# Two systems, each with a root file system where the table holds so many partitions.
check_two() { # BOARD TABLE
	local payload=(--rootfs "$TMP/$1/root")
	if [ "$2" = mbr ] && grep -q '"content":"select"' "$TMP/profile"; then
		payload=(--initrd "$TMP/$1/initrd")
	fi
	check "$1" "two systems, $2" --table "$2" --slots 2 --no-data "${payload[@]}"
}

check_board() { # BOARD
	local options table other
	build_options "$1" full
	"$LKFLASH" boards show "$1" --json --boards-dir "$TMP/none" >"$TMP/profile"
	table=$(jq -r .build.table "$TMP/profile")
	other=$(jq -r 'if .table == "mbr" or .table == "gpt" then ""
		elif .build.table == "mbr" then "gpt" else "mbr" end' "$TMP/profile")
	check "$1" "one system, $table" --rootfs "$TMP/$1/root"
	[ "$(jq .build.slots "$TMP/profile")" != 2 ] || check_two "$1" "${other:-$table}"
	rm -rf "$IMAGE" "${TMP:?}/$1"
}

for board in ${BOARDS:-$(built_boards)}; do
	check_board "$board"
done

# ---- A made-up payload that a checker must find fault with, so that the checks are known to work.
build_options x86-uefi
run "$LKFLASH" build -q "${options[@]}" --rootfs "$TMP/x86-uefi/root"
"$LKFLASH" plan build --json "${options[@]}" --rootfs "$TMP/x86-uefi/root" >"$TMP/plan.json"
root_bytes=$(jq '.partitions[] | select(.content == "root").start_bytes' "$TMP/plan.json")
esp_bytes=$(jq '.partitions[] | select(.content == "boot").start_bytes' "$TMP/plan.json")
printf '\377\377\377\377' | dd of="$IMAGE" bs=1 seek=$((root_bytes + 1024 + 12)) conv=notrunc status=none
like "$(all_faults)" "Superblock checksum does not match" "an ext4 whose superblock is altered is found"
printf '\377\377' | dd of="$IMAGE" bs=1 seek=$((esp_bytes + 14)) conv=notrunc status=none
like "$(all_faults)" "FAT|fat|sector|cluster" "a FAT that has lost its reserved sectors is found"

finish

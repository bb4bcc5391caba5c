#!/bin/bash
# Partition tables that are made, by the eyes of others: sfdisk and the kernel.
. "$(dirname "$0")/../lib/tap.sh"
requires sfdisk truncate jq blkid
large=''

TABLE_MAKER=${BUILD:-$PWD/build/release}/tests/lib/table_maker

# make_table KIND SECTOR ENTRIES START: $TMP/disk, of 64 MiB, with that table in it.
make_table() {
	rm -f "$TMP/disk"
	truncate -s 64M "$TMP/disk"
	run "$TABLE_MAKER" "$TMP/disk" "$@"
	exits 0 "a table is made: $*"
}

# is_good NAME: sfdisk finds nothing to complain about.
is_good() {
	run sfdisk --verify "$TMP/disk"
	exits 0 "$1 is good"
	like "$out" 'No errors detected' "and sfdisk says so"
	is "$err" "" "without a warning"
}

# field FILTER: of what sfdisk tells about the disk.
field() { sfdisk --json "$TMP/disk" | jq -r ".partitiontable | $1"; }

make_table gpt 512 128 1048576
is_good "a GPT of 128 entries"
is "$(field .id)" 01234567-89AB-8DEF-8123-456789ABCDEF "with the identifier that was wanted"
is "$(field .firstlba)" 2048 "with its first partition where sectors begin to be usable"
is "$(field '.partitions[0] | "\(.start) \(.size) \(.type) \(.uuid) \(.name) \(.attrs)"')" \
	"2048 16384 5B193300-FC78-40CD-8002-E86C45580B47 11111111-2222-8333-8444-555555555555 spl LegacyBIOSBootable" \
	"with a bootable partition of a type that sfdisk does not know"
is "$(field '.partitions[1] | "\(.start) \(.size) \(.name) \(.attrs)"')" "32768 40960 data GUID:59" \
	"and with one that may grow"

make_table gpt 512 56 8192
is_good "a GPT of 56 entries with a partition right behind them"
is "$(field '."table-length"')" 56 "with 56 entries"
is "$(field .firstlba)" 16 "that end before byte 8192"

make_table gpt 512 128 17408
is_good "a GPT of 128 entries with a partition at sector 34"

make_table mbr 512 0 1048576
is_good "an MBR"
is "$(field .id)" 0x1a2b3c4d "with the identifier that was wanted"
is "$(field '.partitions | map("\(.start) \(.size) \(.type) \(.bootable)") | join(", ")')" \
	"2048 16384 c true, 32768 40960 83 null" "and the partitions"
cmp -s -n 440 "$TMP/disk" /dev/zero
ok $? "and room for boot code"
is "$(blkid -p -o value -s PTUUID "$TMP/disk")" 1a2b3c4d "and libblkid finds its identifier"

# sfdisk has no option for the sectors of a file: the kernel tells it those of a loop device.
make_table gpt 4096 128 1048576
loop_device large "$TMP/disk" --sector-size=4096
run sfdisk --verify "$large"
exits 0 "a GPT for sectors of 4096 bytes is good"
like "$out" 'No errors detected' "and sfdisk says so"

finish

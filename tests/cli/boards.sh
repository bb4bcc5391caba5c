#!/bin/bash
# lkflash boards: listing, showing and checking profiles.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
requires jq

write_profile() { # FILE ID [more lines]
	printf 'id: %s\nname: My board\narch: arm64\nboot: somehow\ntested: no\n' "$2" >"$1"
	printf '%s\n' "${@:3}" >>"$1"
}

mkdir "$TMP/boards.d" "$TMP/empty.d"

run "$LKFLASH" boards --boards-dir "$TMP/empty.d"
exits 0 "boards lists"
is "$(head -1 <<<"$out" | tr -s ' ')" "ID ARCH TABLE TESTED NAME" "the list has titles"
is "$(tail -n +2 <<<"$out" | awk '{print $1}')" "$(cd boards/data && printf '%s\n' *.yaml | sed 's/\.yaml$//' | LC_ALL=C sort)" \
	"every built-in profile is listed, sorted"
like "$out" '^x86-uefi +x86_64 +mbr-or-gpt +qemu +PC with UEFI firmware$' "a row shows what a board is"

run "$LKFLASH" boards --json --boards-dir "$TMP/empty.d"
exits 0 "boards --json lists"
is "$(jq -r 'select(.event == "board") | .id' <<<"$out" | head -1)" arm64-uefi "each line is an object"

for board in boards/data/*.yaml; do
	id=$(basename "$board" .yaml)
	run "$LKFLASH" boards check "$board"
	exits 0 "the profile $id is good"
	run "$LKFLASH" boards show "$id" --boards-dir "$TMP/empty.d"
	cp "$TMP/out" "$TMP/$id.yaml"
	shown=$out
	run "$LKFLASH" boards check "$TMP/$id.yaml"
	exits 0 "what is shown of $id is a profile again"
	cp "$TMP/$id.yaml" "$TMP/boards.d/"
	run "$LKFLASH" boards show "$id" --boards-dir "$TMP/boards.d"
	is "$out" "$shown" "which shows the same"
	rm "$TMP/boards.d/$id.yaml"
done

run "$LKFLASH" boards show x86-uefi --json --boards-dir "$TMP/empty.d"
is "$(jq -c '[.id, .table, .partitions[0].types[1], .partitions[0].file_system]' <<<"$out")" \
	'["x86-uefi","mbr-or-gpt","0xef","vfat"]' "boards show --json tells the partitions"

run "$LKFLASH" boards show x86-bios --json --boards-dir "$TMP/empty.d"
is "$(jq -c '.blobs[0]' <<<"$out")" \
	'{"name":"boot sector signature","offset_bytes":510,"magic":"55aa","magic_at_bytes":0}' \
	"boards show --json tells the blobs"
is "$(jq -c '.build.methods, (.build.partitions[] | select(.name == "boot").content)' <<<"$out" | tr '\n' ' ')" \
	'["grub"] "boot" ' \
	"and what is built"

# A profile that has every key.
cp tests/fuzz/corpus/profile/full "$TMP/boards.d/full.yaml"
run "$LKFLASH" boards check "$TMP/boards.d/full.yaml"
exits 0 "every key can be given"
run "$LKFLASH" boards show full --json --boards-dir "$TMP/boards.d"
shown=$out
run "$LKFLASH" boards show full --boards-dir "$TMP/boards.d"
cp "$TMP/out" "$TMP/boards.d/full.yaml"
for key in magic_at file maximum holes methods gpt_entries slots size dtb cmdline type mbr_type start minimum content \
	slotted bootable grow boot_files to package suite path source optional program arguments console power_of_two; do
	like "$out" "(^| )$key:" "boards show prints $key"
done
run "$LKFLASH" boards show full --json --boards-dir "$TMP/boards.d"
is "$out" "$shown" "and nothing is lost"
rm "$TMP/boards.d/full.yaml"

run "$LKFLASH" boards show x86-uefy --boards-dir "$TMP/empty.d"
exits 2 "an unknown board is refused"
is "$err" "lkflash: there is no board x86-uefy; perhaps x86-uefi; \`lkflash boards\` lists all" \
	"with the one that was probably meant"

# A folder of one's own.
write_profile "$TMP/boards.d/rpi4.yaml" rpi4 "table: any"
write_profile "$TMP/boards.d/mine.yaml" mine "table: gpt"
run "$LKFLASH" boards --boards-dir "$TMP/boards.d"
like "$out" '^mine +arm64 +gpt +no +My board$' "a profile of one's own is listed"
like "$out" '^rpi4 +arm64 +any +no +My board$' "and wins over a built-in one"

# Faults.
write_profile "$TMP/typo.yaml" typo "tabel: gpt"
write_profile "$TMP/guid.yaml" guid "table: gpt" "partitions:" "  - name: root" "    types:" \
	"      - 4F68BCE3-e8cd-4db1-96e7-fbcaf984b709"
run "$LKFLASH" boards check "$TMP/typo.yaml" "$TMP/boards.d/mine.yaml" "$TMP/guid.yaml"
exits 2 "boards check fails when one of several profiles is bad"
like "$err" "^$TMP/typo.yaml:6: unknown key \`tabel\`$" "an unknown key is named with file and line"
like "$err" "^$TMP/guid.yaml:10: partition type \`4F68BCE3" "so is a value in a list"
like "$err" '2 of 3 board profiles cannot be used$' "all of them are looked at"
is "$out" "$TMP/boards.d/mine.yaml: good" "a good one is called so"

run "$LKFLASH" boards check --json "$TMP/typo.yaml" "$TMP/boards.d/mine.yaml"
exits 2 "boards check --json fails as well"
is "$(jq -c 'select(.event == "board-check") | .ok' <<<"$out" | tr '\n' ' ')" "false true " \
	"and tells each file's result"

cp "$TMP/boards.d/mine.yaml" "$TMP/yours.yaml"
run "$LKFLASH" boards check "$TMP/yours.yaml"
exits 2 "a profile that is not called after its id is refused"
like "$err" 'rename it to mine.yaml' "and the right name is told"

run "$LKFLASH" boards check "$TMP/missing.yaml"
exits 1 "a missing file is an I/O error"

cp "$TMP/typo.yaml" "$TMP/boards.d/"
run "$LKFLASH" boards --boards-dir "$TMP/boards.d"
exits 2 "a bad profile in the folder stops the program"
like "$err" "^lkflash: $TMP/boards.d/typo.yaml:6: " "and is named"

run "$LKFLASH" boards check
exits 2 "boards check wants a file"
run "$LKFLASH" boards show
exits 2 "boards show wants an id"
run "$LKFLASH" boards sohw x86-uefi
exits 2 "an unknown word is refused"

finish

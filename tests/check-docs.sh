#!/bin/bash
# The documents against what the program really does: options, verbs, events, exit statuses, boards.
# Each check is held against the documents, and against a copy with a fault, so that a check that
# never fails is found.
# shellcheck source-path=SCRIPTDIR/.. disable=SC2317 # checks are called by name
. tests/lib/tap.sh
requires jq man groff openssl sfdisk mkswap diff apt-get gpg
# shellcheck source=tests/lib/archive.sh
. tests/lib/archive.sh
MAN=provision/cli/lkflash.8
COMPLETION=provision/cli/lkflash.bash

verbs() { "$LKFLASH" help | sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'; }

# ---- What the program says

# "VERB --option ARGUMENT" for each verb and option.
program_options() {
	local verb
	for verb in $(verbs); do
		"$LKFLASH" help "$verb" | awk -v verb="$verb" '
			/^options:/ {inside = 1}
			inside && match($0, /--[a-z-]+( [^ ]+)?  /) {
				print verb, substr($0, RSTART, RLENGTH - 2)
			}' | sed 's/ *$//'
	done | sort
}

# "KIND MEMBER" for each event and member in the files of JSON lines. What is inside a manifest is the
# manifest's own.
json_members() {
	jq -r '.event as $kind | if .manifest then .manifest = 0 else . end | $kind,
		(paths | map(select(type == "string")) | join(".") | select(. != "event") | "\($kind) \(.)")' \
		"$@" | sort -u
}

# ---- What the man page says

plain_man() { sed 's/\\-/-/g; s/\\f[BIR]//g' "$1"; }

# The lines of a section.
man_section() { plain_man "$1" | awk -v name="$2" '/^\.SH / {inside = substr($0, 5) == name; next} inside'; }

# An option is a tag, and the verbs that take it stand in parentheses on the next line.
man_options() {
	local all
	all=$(verbs | tr '\n' ' ')
	man_section "$1" OPTIONS | awk -v all="$all" '
		/^(-[a-z], )?--/ {option = $0; sub(/^-[a-z], /, "", option); next}
		option && /^\(/ {
			gsub(/[(),]/, "")
			n = split($1 == "all" ? all : $0, list, " ")
			for (i = 1; i <= n; i++)
				print list[i], option
		}
		{option = ""}' | sort
}

man_verbs() { man_section "$1" VERBS | awk '/^\.TP/ {getline; print $2}'; }

man_members() {
	man_section "$1" "JSON EVENTS" | awk '
		/^\.TP/ {is_tag = 1; next}
		is_tag {kind = $2; print kind}
		{is_tag = 0}
		/^Members: / {inside = 1; sub(/^Members: /, "")}
		inside {
			is_last = sub(/\.$/, "")
			n = split($0, list, /, */)
			for (i = 1; i <= n; i++)
				if (list[i] != "")
					print kind, list[i]
			inside = !is_last
		}' | sort -u
}

man_phases() { man_section "$1" "HOW A WRITE PROCEEDS" | awk '/^\.TP/ {getline; print $2}' | sort; }

man_statuses() { man_section "$1" "EXIT STATUS" | sed -n 's/^\.B \([0-9]\)$/\1/p'; }

# ---- What the README says

# The first block of LANGUAGE below the heading.
readme_block() {
	awk -v heading="## $2" -v fence="\`\`\`$3" '
		/^## / {inside = $0 == heading}
		inside && $0 == fence {block = 1; next}
		block && /^```/ {exit}
		block' "$1"
}

# The rows of the table below the heading, without its head, cells apart by tabs.
readme_table() {
	awk -v heading="## $2" '/^## / {inside = $0 == heading} inside && /^\| `/' "$1" |
		sed 's/^| //; s/ |$//; s/ | /\t/g; s/`//g'
}

# ---- The checks: each prints where a document and the program differ

check_options() { diff <(program_options) <(man_options "$1"); }
check_verbs() { diff <(verbs | sort) <(man_verbs "$1" | sort); }
check_members() { diff "$TMP/members" <(man_members "$1"); }
check_phases() { diff <(cat "$TMP"/json/* | jq -r '.phase // empty' | sort -u) <(man_phases "$1"); }
check_statuses() {
	diff <(sed -n 's/^\tERR_[A-Z]* = \([0-7]\),.*/\1/p' flash/base/err.h) <(man_statuses "$1")
}
check_groff() {
	groff -man -ww -z "$1" 2>&1
	{ man --warnings -l "$1" >/dev/null; } 2>&1
}
# Everywhere in the text, not in OPTIONS alone.
check_known_options() {
	comm -13 <({ program_options | cut -d' ' -f2; echo --version; } | sort -u) \
		<(plain_man "$1" | grep -oE -- '--[a-z][a-z-]*' | sort -u)
}
check_readme_verbs() { diff <(verbs | sort) <(readme_table "$1" Verbs | cut -f1 | sort); }
# A row is for all boards that agree in the other columns.
program_boards() {
	"$LKFLASH" boards --boards-dir "$TMP/none" --json | jq -r '
		([.firmware[] | .package // "vendor" | sub(":.*"; "")] | unique | join(", ")) as $firmware |
		[.id, (.build.methods // ["-"] | join(", ")), .build.table // "-",
			if $firmware == "" then "-" else $firmware end, .tested] | join("\t")' | sort
}
check_readme_boards() {
	mkdir -p "$TMP/none"
	diff <(program_boards) <(readme_table "$1" Boards | awk -F '\t' '{
		n = split($1, ids, ", ")
		for (i = 1; i <= n; i++)
			print ids[i] "\t" $2 "\t" $3 "\t" $4 "\t" $5}' | sort)
}
check_readme_folders() {
	local folder
	while IFS= read -r folder; do
		[ -d "$folder" ] || echo "there is no $folder"
		[ -e "$folder/README.md" ] || echo "$folder has no README.md"
	done < <(readme_table "$1" Folders | cut -f1)
}
check_readme_statuses() {
	local status
	for status in $(man_statuses "$MAN"); do
		tr '\n' ' ' <"$1" | grep -qE "Exit status:[^.]*\\b$status [a-z]" || echo "$status is not told"
	done
}
# Runs the blocks of commands in a folder of their own.
check_readme_commands() {
	rm -rf "$TMP/first"
	mkdir -p "$TMP/first/build"
	ln -s "$LKFLASH" "$TMP/first/build/lkflash"
	{
		readme_block "$1" "A first signed write" sh
		readme_block "$1" "Building an image" sh
		readme_block "$1" "How images are trusted" sh
	} >"$TMP/first/commands"
	[ "$(wc -l <"$TMP/first/commands")" -ge 9 ] || echo "there are few commands"
	(cd "$TMP/first" && bash -eu commands) >"$TMP/first/log" 2>&1 || cat "$TMP/first/log"
}
check_readme_board() {
	readme_block "$1" "The keys of a profile" yaml >"$TMP/acme-gw.yaml"
	"$LKFLASH" boards check -q "$TMP/acme-gw.yaml" 2>&1
}

# agrees CHECK DOCUMENT NAME: they do not differ.
agrees() { is "$("$1" "$2")" "" "$3"; }

# finds CHECK DOCUMENT SED_COMMAND NAME: a document so changed differs.
finds() {
	sed "$3" "$2" >"$TMP/changed"
	if cmp -s "$2" "$TMP/changed"; then
		ok 1 "$4: the document could be changed by $3"
	else
		ok "$([ -n "$("$1" "$TMP/changed")" ]; echo $?)" "$4 is found"
	fi
}

# ---- Real events
mkdir -p "$TMP/json"
n_runs=0
# json STATUS ARGUMENT...: keep what lkflash says with --json, when it ends with STATUS.
json() {
	n_runs=$((n_runs + 1))
	run "$LKFLASH" "${@:2}" --json
	exits "$1" "$2 --json ends with $1"
	cp "$TMP/out" "$TMP/json/$n_runs"
}
json 0 keygen --out "$TMP/keys"
KEYS=(--key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" --board generic --version 1)
TRUST=(--trust "$TMP/keys/ca.pem")
head -c 3145728 /dev/urandom >"$TMP/image.raw"
truncate -s 8M "$TMP/cut.raw"
printf 'label: dos\nstart=2048, size=8192, type=c\n' | sfdisk -q "$TMP/cut.raw"
truncate -s 2M "$TMP/cut.raw"
truncate -s 2M "$TMP/grow.raw"
printf 'label: gpt\nstart=2048, attrs="GUID:59"\n' | sfdisk -q "$TMP/grow.raw"
truncate -s 4M "$TMP/larger.img"
head -c 700 /dev/urandom >"$TMP/other.raw"
truncate -s 4M "$TMP/swap.img"
mkswap -q -L old "$TMP/swap.img"
json 0 sign "${KEYS[@]}" "$TMP/image.raw"
json 0 sign "${KEYS[@]}" "$TMP/cut.raw"
json 0 inspect "${TRUST[@]}" "$TMP/image.raw"
json 0 devices "$TMP/swap.img"
json 0 plan "${TRUST[@]}" "$TMP/image.raw" "$TMP/swap.img"
json 0 plan --allow-unsigned --board generic "$TMP/grow.raw" "$TMP/larger.img"
json 0 write "${TRUST[@]}" "$TMP/image.raw" "$TMP/swap.img"
json 0 verify "${TRUST[@]}" --image "$TMP/image.raw" "$TMP/swap.img"
json 0 write --delta "${TRUST[@]}" "$TMP/image.raw" "$TMP/swap.img"
json 0 pack "${KEYS[@]}" --out "$TMP/other.raw.zst" "$TMP/other.raw"
json 5 verify "${TRUST[@]}" --image "$TMP/other.raw.zst" "$TMP/swap.img"
json 0 write --allow-unsigned --board generic --manifest "$TMP/image.raw.lkm" "${TRUST[@]}" \
	"$TMP/image.raw" "$TMP/new.img"
cp "$TMP/image.raw" "$TMP/unsigned.raw"
json 0 write --allow-unsigned --board generic "$TMP/unsigned.raw" "$TMP/new.img"
json 4 write "${TRUST[@]}" "$TMP/unsigned.raw" "$TMP/new.img"
json 3 write "${TRUST[@]}" "$TMP/image.raw" "$TMP"
json 2 write "${TRUST[@]}" "$TMP/image.raw"
mkdir "$TMP/boards.d"
cp tests/fuzz/corpus/profile/full "$TMP/boards.d/full.yaml"
json 0 boards --boards-dir "$TMP/boards.d"
mkdir "$TMP/acme"
echo acme >"$TMP/acme/acme.bin"
json 2 boards check boards/data/rpi4.yaml "$TMP/image.raw"
archive_key us
archive_package acme all 1 "$TMP/acme"
archive_publish bookworm us amd64
mkdir "$TMP/boards"
printf '%s\n' 'id: acme' 'name: Acme' 'arch: any' 'boot: any' 'tested: no' 'table: any' 'firmware:' \
	'  - file: acme.bin' '    package: acme:all' '    path: acme.bin' \
	'  - file: other.bin' '    source: elsewhere' >"$TMP/boards/acme.yaml"
json 0 firmware --boards-dir "$TMP/boards" --mirror "file://$ARCHIVE" --keyring "$TMP/us.gpg" acme
printf '%s\n' 'id: built' 'name: Built' 'arch: x86_64' 'boot: any' 'tested: no' 'table: any' 'blobs:' \
	'  - {name: first, offset: 32K, magic: "61", file: acme.bin, maximum: 1K}' \
	'build:' '  methods: [raw-blobs, extlinux]' '  table: gpt' '  partitions:' \
	'    - {name: second, type: linux-reserved, size: 1M, content: file, file: acme.bin}' \
	'    - {name: boot, type: fat, minimum: 8M, content: boot, file_system: vfat}' \
	'firmware:' '  - {file: acme.bin, source: elsewhere}' >"$TMP/boards/built.yaml"
json 0 plan build --boards-dir "$TMP/boards" --board built --kernel /boot/memtest86+x64.bin \
	--firmware "$TMP/acme"
json 0 build --boards-dir "$TMP/boards" --board built --kernel /boot/memtest86+x64.bin \
	--firmware "$TMP/acme" --out "$TMP/built.raw"
json_members "$TMP"/json/* >"$TMP/members"

# ---- The man page
agrees check_groff $MAN "the man page is clean"
finds check_groff $MAN '/^\.SH NAME/a .NOSUCH' "an unknown request"
agrees check_options $MAN "options of all verbs are in the man page, and no others"
finds check_options $MAN '/^.fB.-.-crl/d' "a missing option"
finds check_options $MAN 's/-level/-depth/' "an unknown option"
finds check_options $MAN 's/^(keygen)/(keygen, plan)/' "an option of another verb"
finds check_options $MAN 's/512|4096/512/' "another argument"
agrees check_known_options $MAN "nor does it speak of others elsewhere"
finds check_known_options $MAN 's/^lkflash plan .-.-trust/lkflash plan --turst/' "an unknown option in an example"
agrees check_verbs $MAN "so are the verbs"
finds check_verbs $MAN '/^\.B verify$/d' "a missing verb"
finds check_verbs $MAN 's/^\.B keygen$/.B keys/' "an unknown verb"
agrees check_members $MAN "so are all events and their members"
finds check_members $MAN 's/, done_bytes//' "a missing member"
finds check_members $MAN 's/, by_id/, by_id, by_path/' "an unknown member"
finds check_members $MAN 's/^\.B note$/.B notice/' "another event"
agrees check_phases $MAN "so are the phases"
finds check_phases $MAN 's/^\.B wipe$/.B erase/' "another phase"
agrees check_statuses $MAN "so are the exit statuses"
finds check_statuses $MAN '/^\.B 5$/d' "a missing status"

journal=$(man_section $MAN FILES | awk '/^\.I journal/ {inside = 1} inside')
for member in $(jq -r 'keys[]' "$LKFLASH_STATE_DIR/journal.jsonl" | sort -u); do
	like "$journal" "\\b$member\\b" "the man page tells of $member in the journal"
done
for member in code text; do
	like "$journal" "\\b$member\\b" "and of $member"
done

# ---- Completion
# shellcheck source=provision/cli/lkflash.bash
. $COMPLETION
completion_options() {
	local verb
	for verb in $(verbs); do
		_lkflash_options "$LKFLASH" "$verb" | sed "s/^/$verb /"
	done | sort
}
is "$(diff <(program_options) <(completion_options))" "" "completion knows the options of all verbs"
is "$(_lkflash_verbs "$LKFLASH")" "$(verbs)" "and the verbs"

# ---- The README
agrees check_readme_commands README.md "the commands of the README work"
finds check_readme_commands README.md 's/--board generic/--board rpi4/' "a command that fails"
agrees check_readme_board boards/README.md "the board of the README passes"
finds check_readme_board boards/README.md 's/^table: gpt/table: apm/' "a board that does not"
agrees check_readme_boards README.md "its table of boards is that of the program"
finds check_readme_boards README.md '/^| .*.rpi4./s/| layout |/| qemu |/' "a board that is told to be tested"
finds check_readme_boards README.md 's/, .x86-hybrid.//; s/.x86-hybrid., //; /^| .x86-hybrid/d' "a missing board"
agrees check_readme_verbs README.md "so is its table of verbs"
finds check_readme_verbs README.md '/^| .pack. |/d' "a missing verb"
agrees check_readme_statuses README.md "it tells the exit statuses"
finds check_readme_statuses README.md 's/5 read-back/read-back/' "a missing status"
agrees check_readme_folders README.md "its folders are there, and have a README"
finds check_readme_folders README.md 's/^| .tests\//| `tets\//' "a folder that is not there"
like "$(wc -l <README.md)" '^(1?[0-9]|2[0-4])?[0-9]$' "the README is short"

# ---- Every folder
while IFS= read -r folder; do
	ok "$([ -s "$folder/README.md" ]; echo $?)" "$folder says what lives there"
	ok "$([ "$(wc -l <"$folder/README.md")" -le 60 ]; echo $?)" "on a page at most"
done < <(find flash provision boards bootloader tests -maxdepth 1 -type d ! -path 'tests/*' ! -path boards/data)

finish

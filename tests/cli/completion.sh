#!/bin/bash
# Completion of bash: what is offered where. It is loaded as bash-completion would.
# shellcheck source-path=SCRIPTDIR/../..
. "$(dirname "$0")/../lib/tap.sh"
requires losetup
disk=''
# shellcheck source=provision/cli/lkflash.bash
. provision/cli/lkflash.bash

# offers WORD...: what is offered for the last word, in $offers, one a line.
offers() {
	COMP_WORDS=("$LKFLASH" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_lkflash "$LKFLASH" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
	offers=$(printf '%s\n' "${COMPREPLY[@]}" | sort)
}
# has LINE NAME, lacks LINE NAME
has() { ok "$(grep -qxF -- "$1" <<<"$offers"; echo $?)" "$2"; }
lacks() { ok "$(! grep -qxF -- "$1" <<<"$offers"; echo $?)" "$2"; }

is "$(complete -p lkflash)" "complete -o filenames -F _lkflash lkflash" "completion is set up"

# ---- Verbs
offers ''
for verb in $("$LKFLASH" help | sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	has "$verb" "the first word may be $verb"
done
offers ver
is "$offers" verify "what was begun is finished"
offers help in
is "$offers" inspect "help takes a verb"
offers write ke
lacks keygen "there is one verb"

# ---- Options
offers sign --
has --key "sign has --key"
has --chunk-size "and --chunk-size"
lacks --allow-unsigned "but not --allow-unsigned"
offers --allow-u
is "$offers" --allow-unsigned "without a verb the options are those of write"
offers --trust ca.pem verify --im
is "$offers" --image "a verb behind options counts"
offers boards --
is "$offers" "--boards-dir
--debug
--help
--json
--quiet" "boards has few options"

# ---- Their values
offers --board ''
is "$offers" "$("$LKFLASH" boards | awk 'NR > 1 {print $1}' | sort)" "--board takes the boards"
offers sign --board rpi4
is "$offers" rpi4 "also of sign"
mkdir "$TMP/profiles"
printf 'id: mine\nname: My board\narch: any\nboot: somehow\ntested: no\ntable: any\n' >"$TMP/profiles/mine.yaml"
offers --boards-dir "$TMP/profiles" --board mi
is "$offers" mine "and those of --boards-dir"
offers plan --unmapped ''
is "$offers" "discard
keep
zero" "--unmapped takes one of three"
offers keygen --type p
is "$offers" "p256
p384" "--type takes what begins so"
offers sign --sector 4
is "$offers" 4096 "--sector takes one of two"
mkdir "$TMP/folder"
: >"$TMP/file.pem"
offers --trust "$TMP/f"
is "$offers" "$TMP/file.pem
$TMP/folder" "--trust takes a file"
offers keygen --out "$TMP/f"
is "$offers" "$TMP/folder" "--out of keygen takes a folder"
offers sign --out "$TMP/fi"
is "$offers" "$TMP/file.pem" "--out of sign takes a file"
offers sign --bmap "$TMP/fi"
is "$offers" "$TMP/file.pem" "so does what may be a URL"

# ---- Operands
offers boards sh
is "$offers" show "boards takes show"
offers boards show x86
is "$offers" "x86-bios
x86-hybrid
x86-uefi" "which takes a board"
offers boards check "$TMP/fi"
is "$offers" "$TMP/file.pem" "check takes a file"
truncate -s 1M "$TMP/disk.img"
loop_device disk "$TMP/disk.img"
for verb in write plan verify devices; do
	offers "$verb" image.raw ''
	has "$disk" "$verb takes a disk"
	offers "$verb" "$TMP/fi"
	has "$TMP/file.pem" "and a file"
done
offers image.raw ''
has "$disk" "so does what has no verb"

finish

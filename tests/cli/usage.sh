#!/bin/bash
# Calls that make no sense end with 2 and say the way out; calls for help end with 0.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
requires jq

# refused REGEXP COMMAND...: exit 2, nothing on standard output, and an error that matches.
refused() {
	run "${@:2}"
	exits 2 "exit 2: ${*:3}"
	is "$out" "" "nothing on standard output: ${*:3}"
	like "$err" "^lkflash: $1" "says why: ${*:3}"
}

run "$LKFLASH"
exits 2 "without arguments it ends with 2"
like "$err" "usage: lkflash VERB" "and shows the verbs on standard error"

run "$LKFLASH" --version
exits 0 "--version ends with 0"
like "$out" "^lkflash [0-9]+\.[0-9]+\.[0-9]+$" "--version prints the version"

run "$LKFLASH" --help
exits 0 "--help ends with 0"
overview=$out
like "$overview" "^verbs:" "--help lists the verbs"
run "$LKFLASH" help
is "$out" "$overview" "help prints what --help prints"

mapfile -t verbs < <(sed -n 's/^COMMAND(\(.*\))/\1/p' provision/cli/commands.def)
for verb in "${verbs[@]}"; do
	like "$overview" "^  $verb +[a-z]" "the overview has $verb"
	run "$LKFLASH" help "$verb"
	exits 0 "help $verb ends with 0"
	help=$out
	like "$help" "^usage: lkflash $verb \[options\]" "help $verb shows the usage"
	run "$LKFLASH" "$verb" --help
	is "$out" "$help" "$verb --help prints what help $verb prints"
done

refused "there is no verb frob" "$LKFLASH" help frob
refused "hlep is neither a verb nor a file; perhaps \`lkflash help\`" "$LKFLASH" hlep
refused "wirte is neither a verb nor a file; perhaps \`lkflash write\`" "$LKFLASH" wirte a b
refused "usage: lkflash write \[options\] IMAGE TARGET\.\.\." "$LKFLASH" image.raw
refused "usage: lkflash write" "$LKFLASH" --board generic
refused "write takes no option --bord; perhaps --board; see \`lkflash help write\`" \
	"$LKFLASH" --bord rpi4 image.raw target.img
refused "write takes no option --attach; --attach is for sign" "$LKFLASH" --attach x a.raw b.img
refused "help takes no option -x" "$LKFLASH" help -x
refused "help: too much: plan" "$LKFLASH" help write plan
refused "keygen: too much: x" "$LKFLASH" keygen --out "$TMP/k" x
refused "--board is given twice" "$LKFLASH" --board a --board b image.raw target.img
refused "--board needs a value: ID" "$LKFLASH" image.raw target.img --board
refused "--threshold: 0 is not between 1 and 4" "$LKFLASH" --threshold 0 image.raw target.img
refused "--unmapped: all is none of keep\|zero\|discard" "$LKFLASH" --unmapped all a.raw b.img

cd "$TMP" || exit 1
run "$LKFLASH" -- help target.img
exits 1 "behind -- help is the name of an image"
like "$err" "opening help: No such file" "which is not there"
[ ! -e target.img ]
ok $? "and nothing is written"

# ---- Programs
run "$LKFLASH" --json --bord x a.raw b.img
exits 2 "usage errors end with 2 in --json mode too"
is "$(jq -r '.event + " " + (.code | tostring)' <<<"$out")" "failed 2" "and are an object on standard output"

"$LKFLASH" help >/dev/full 2>"$TMP/err"
is "$?" 1 "standard output that takes nothing is an I/O error"
like "$(cat "$TMP/err")" "^lkflash: writing to standard output: No space left" "and is told"

finish

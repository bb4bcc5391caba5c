#!/bin/bash
# What the documents say is what the program does: options, verbs, exit status, events, and the
# commands of README.md, which are run.
cd "$(dirname "$0")/.." || exit 1
. tests/lib/tap.sh
requires man bash jq openssl
page=provision/cli/lkflash.8
make_keys
export PATH="$(dirname "$LKFLASH"):$PATH"

same() { is "$(diff <(echo "$1") <(echo "$2"))" "" "$3"; }

verbs=$("$LKFLASH" help | sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')

# "--board ID" for each option of a help text read from standard input.
options_of_help() {
	sed -n 's/^  .* \(--[a-z-]\+\( [A-Za-z0-9|]\+\)\?\)  .*/\1/p'
}

# ---- The man page ----------------------------------------------------------------------------------

rendered=$(LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l "$page" 2>"$TMP/warnings" | col -bx)
is "$(cat "$TMP/warnings")" "" "the man page has no warnings"
is "$(sed -n 's/^\.TH .*"lkflash \([0-9.]*\)".*/\1/p' "$page")" \
	"$("$LKFLASH" --version | cut -d' ' -f2)" "the man page has the version of the program"
same "$(sed -n '/^VERBS/,/^OPTIONS/s/^       \([a-z]\+\)\( .*\)\?$/\1/p' <<<"$rendered" | sort)" \
	"$(sort <<<"$verbs")" "the man page has every verb, and no other"
same "$(sed -n '/^OPTIONS/,/^EXIT/s/^       \(-., \)\?\(--[a-z-]\+\( [^ ]\+\)\?\)$/\2/p' <<<"$rendered" | sort -u)" \
	"$({ for verb in $verbs; do "$LKFLASH" help "$verb"; done; "$LKFLASH" help; } | options_of_help | sort -u)" \
	"the man page has every option with its argument, and no other"

# ---- Completion ------------------------------------------------------------------------------------

# complete_line WORD...: what is offered for the last word.
complete_line() {
	bash -c '. provision/cli/lkflash.bash
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_lkflash "$1" "${@: -1}" "${@: -2:1}"
		printf "%s\n" "${COMPREPLY[@]}"' - "$LKFLASH" "$@"
}

for verb in $verbs; do
	same "$(complete_line "$verb" -- | sort)" \
		"$("$LKFLASH" help "$verb" | options_of_help | cut -d' ' -f1 | sort)" \
		"completion offers the options of $verb"
done
same "$(cd "$TMP" && . "$OLDPWD/provision/cli/lkflash.bash" && COMP_WORDS=("$LKFLASH" "") && COMP_CWORD=1 &&
	_lkflash "$LKFLASH" "" "$LKFLASH" && printf "%s\n" "${COMPREPLY[@]}" | grep -Fx "$verbs" | sort)" \
	"$(sort <<<"$verbs")" "completion offers every verb"
same "$(complete_line --board "" | sort)" "$("$LKFLASH" boards | awk '{print $1}' | sort)" \
	"completion offers the boards"
is "$(complete_line image.raw target.img --unmapped d)" discard "completion offers choices"
is "$(complete_line keygen --type p2)" p256 "completion knows the verb"

# ---- Exit status -----------------------------------------------------------------------------------

same "$(sed -n '/^\.SH EXIT STATUS/,/^\.TE/s/^\([0-9]\)|.*/\1/p' "$page")" \
	"$(sed -n 's/^\tERR_\([A-Z]*\) = \([0-9]*\),.*/\1 \2/p' flash/base/err.h | grep -v CANCELLED | cut -d' ' -f2)" \
	"the table of exit status has every code of err.h but that of signals"

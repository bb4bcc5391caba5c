# Completion of lkflash for bash. Everything is asked from the program itself, so it is never behind.
# shellcheck shell=bash

# The verbs of `lkflash help`.
_lkflash_verbs() {
	"$1" help 2>/dev/null | sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# Each option of VERB, with the name of its argument: "--board ID".
_lkflash_options() {
	"$1" help "$2" 2>/dev/null | sed -n 's/^  .* \(--[a-z-]\+\( [A-Za-z0-9|:,]\+\)\?\)  .*/\1/p'
}

# The first verb among the words before the cursor; write when there is none.
_lkflash_verb() {
	local word verbs
	verbs=" $(_lkflash_verbs "$1" | tr '\n' ' ')"
	for word in "${@:2}"; do
		if [[ $verbs == *" $word "* ]]; then
			echo "$word"
			return
		fi
	done
	echo write
}

# The boards, with those of the folder that the words before the cursor name.
_lkflash_boards() {
	local i dir=()
	for ((i = 1; i < COMP_CWORD - 1; i++)); do
		[[ ${COMP_WORDS[i]} == --boards-dir ]] && dir=(--boards-dir "${COMP_WORDS[i + 1]}")
	done
	"$1" boards "${dir[@]}" 2>/dev/null | awk 'NR > 1 {print $1}'
}

_lkflash_value() {
	local program=$1 argument=$2 cur=$3
	case $argument in
	ID) compgen -W "$(_lkflash_boards "$program")" -- "$cur" ;;
	DIR) compgen -d -- "$cur" ;;
	*'|URL' | FILE | IMAGE | PREFIX | PATH | SRC:DST) compgen -f -- "$cur" ;;
	*'|'*) compgen -W "${argument//|/ }" -- "$cur" ;;
	esac
}

# Disks that can be written; `lkflash devices` tells of each in several lines.
_lkflash_disks() {
	"$1" devices 2>/dev/null | awk '/^\/dev\// {sub(/:$/, "", $1); disk = $1}
		/^  can be written/ {print disk}'
}

_lkflash_operand() {
	local program=$1 verb=$2 cur=$3
	case $verb in
	help) compgen -W "$(_lkflash_verbs "$program")" -- "$cur" ;;
	boards) compgen -W "show check $(_lkflash_boards "$program")" -- "$cur" ;;
	write | plan | verify | devices) compgen -W "$(_lkflash_disks "$program")" -- "$cur" ;;
	esac
	[ "$verb" = help ] || compgen -f -- "$cur"
}

_lkflash() {
	local program=$1 cur=$2 prev=$3 verb argument
	verb=$(_lkflash_verb "$program" "${COMP_WORDS[@]:1:COMP_CWORD-1}")
	argument=
	[[ $prev == --* ]] && argument=$(_lkflash_options "$program" "$verb" | sed -n "s/^$prev //p")
	if [ -n "$argument" ]; then
		mapfile -t COMPREPLY < <(_lkflash_value "$program" "$argument" "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_lkflash_options "$program" "$verb" | cut -d' ' -f1)" -- "$cur")
	else
		mapfile -t COMPREPLY < <(
			((COMP_CWORD == 1)) && compgen -W "$(_lkflash_verbs "$program")" -- "$cur"
			_lkflash_operand "$program" "$verb" "$cur"
		)
	fi
}

complete -o filenames -F _lkflash lkflash

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# bash completion of dre-app and dre-sys, which know the answers themselves.

# _dre COMMAND
_dre()
{
	local IFS=$'\n' word words=() files=()

	# bash has cut words at "=" and ":".
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if [[ ${#words[@]} -gt 0 && ($word == [=:]* || ${words[-1]} == *[=:]) ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
	done
	# A server that does not answer keeps nobody from typing.
	mapfile -t COMPREPLY < <(timeout 5 "${1##*/}" __complete "${words[@]}" 2>/dev/null)
	if [[ ${COMPREPLY[0]-} == @files ]]; then
		mapfile -t files < <(compgen -f -- "${words[-1]}")
		COMPREPLY=("${COMPREPLY[@]:1}" "${files[@]}")
		[[ ${#files[@]} -eq 0 ]] || compopt -o filenames 2>/dev/null
	fi
	# KEY=VALUE and NAME:PATH go on.
	[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[=:] ]] || compopt -o nospace 2>/dev/null
}

complete -F _dre dre-app dre-sys

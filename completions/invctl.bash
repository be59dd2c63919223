# bash completion for invctl                               -*- shell-script -*-

# _invctl_selectors TABLE [OPTION]: ids and names of live invocations; with -a of finished ones too.
_invctl_selectors() {
	invctl ${1:+"--table=$1"} list -n -o uuid,name ${2:+"$2"} 2>/dev/null | awk '{ print $1; print $2 }'
}

_invctl_tables() {
	local file
	for file in /dev/shm/*; do
		[[ -f $file && -O $file ]] && printf '%s\n' "${file#/dev/shm/}"
	done
}

_invctl_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# The options of a command; a trailing = wants a value in the same word.
_invctl_options() {
	case $1 in
	run) echo "--cooperative --detach --finish= --finish-timeout= --id= --id-file= --kill-after=
		--name= --nested-wait= --no-kill --no-parent --preserve-status --signal= --signal-after=
		--signal-to= --stop= --timeout=" ;;
	cancel) echo "--all --children= --idempotent --kill --name= --only --reason= --signal
		--verbose --wait" ;;
	list | ls | ps) echo "--all --full --json --name= --noheadings --output= --quiet --status= --tree" ;;
	show) echo "--json" ;;
	wait) echo "--all --any --children= --name= --timeout=" ;;
	status) echo "--json" ;;
	check | sleep) echo "--id= --peek" ;;
	log) echo "--id= --priority=" ;;
	why) echo "--id= --json" ;;
	esac
	echo "--help --usage --version"
}

# The values of an option; fails where they are anybody's guess.
_invctl_values() {
	case $1:$2 in
	*:--table) _invctl_words "$(_invctl_tables)" ;;
	run:--signal | run:-s) _invctl_words "none $(compgen -A signal | sed -n 's/^SIG\([A-Z]\)/\1/p')" ;;
	cancel:--signal) _invctl_words "$(compgen -A signal | sed -n 's/^SIG\([A-Z]\)/\1/p')" ;;
	run:--id-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	run:--stop) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	list:--status | ls:--status | ps:--status)
		_invctl_words "pending running completed cancelled error requested stopping overdue paused
			stopped shielded finishing done failed lost" ;;
	list:--output | list:-o | ls:--output | ls:-o | ps:--output | ps:-o)
		_invctl_words "$(invctl list --help | sed -n '/^Columns:/,$s/^  \([a-z-]*\) .*/\1/p')" ;;
	log:--priority | log:-p) _invctl_words "debug info warning error" ;;
	run:--id) return 1 ;;
	*:--id | *:--children) _invctl_words "$(_invctl_selectors "$table")" ;;
	*) return 1 ;;
	esac
}

_invctl() {
	local cur prev words cword table="" command="" at
	local commands="run cancel list ls ps show wait status id check sleep log why help"
	COMPREPLY=()
	_get_comp_words_by_ref -n = cur prev words cword 2>/dev/null || {
		cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	}

	for ((at = 1; at < cword; at++)); do
		case ${words[at]} in
		--table=*) table=${words[at]#--table=} ;;
		--table) table=${words[++at]} ;;
		-*) ;;
		*) command=${words[at]} && break ;;
		esac
	done

	if [[ $cur == --*=* ]]; then
		local option=${cur%%=*}
		cur=${cur#*=}
		_invctl_values "$command" "$option"
		return
	fi
	if [[ $prev == -* ]] && ! [[ $prev == --signal && $command == cancel ]] &&
		_invctl_values "$command" "$prev"; then
		return
	fi
	if [[ -z $command ]]; then
		_invctl_words "$commands --table= --help --usage --version"
	elif [[ $cur == -* ]]; then
		_invctl_words "$(_invctl_options "$command")"
	else
		_invctl_arguments
		return
	fi
	[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}

# What stands behind the options of $command, which is the word at $at.
_invctl_arguments() {
	case $command in
	cancel | wait) _invctl_words "$(_invctl_selectors "$table")" ;;
	show) _invctl_words "$(_invctl_selectors "$table" -a)" ;;
	help) _invctl_words "$commands" ;;
	run)
		while ((++at < cword)) && [[ ${words[at]} == -* ]]; do
			[[ ${words[at]} == -[nstk] || ${words[at]} == -- ]] && ((at++))
			[[ ${words[at - 1]} == -- ]] && break
		done
		if ((at >= cword)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		;;
	esac
}

complete -F _invctl invctl

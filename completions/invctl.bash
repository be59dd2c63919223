# bash completion for invctl                               -*- shell-script -*-

# Names of invocations are others' text: they are compared and quoted here, and never given to
# compgen -W, which expands what is in its words.

# Offer those lines of stdin that begin with what was typed, quoted as the word is; behind an open
# quote, those that need no more.
_invctl_offer() {
	local line quoted
	while IFS= read -r line; do
		[[ $line == "$typed"* ]] || continue
		case $quote in
		\') [[ $line == *\'* ]] || COMPREPLY+=("$line") ;;
		\") [[ $line == *[\"\$\`!]* ]] || COMPREPLY+=("$line") ;;
		*)
			printf -v quoted %q "$line"
			COMPREPLY+=("${quoted#"$kept"}")
			;;
		esac
	done
}

# _invctl_invocations id|name|both [OPTION]: of live invocations; with -a of finished ones too. A
# name with a backslash is shown escaped, so it is not known: its id is offered alone.
_invctl_invocations() {
	local line
	invctl ${table:+"--table=$table"} list -n -o uuid,name ${2:+"$2"} 2>/dev/null |
		while IFS= read -r line; do
			[[ $line == ????????-????-????-????-????????????\ \ ?* ]] || continue
			[[ $1 == name ]] || printf '%s\n' "${line:0:36}"
			[[ $1 == id || $line == *\\* ]] || printf '%s\n' "${line:38}"
		done
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

# One of these words, behind others and a comma.
_invctl_list() {
	local before=${cur%"${cur##*,}"}
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${cur##*,}")
}

# Set words, cword, cur and prev: bash cuts words at = and :, and here those of one word are
# joined. kept is what stands before the part that readline replaces.
_invctl_split() {
	local rest=${COMP_LINE:0:COMP_POINT} part
	words=() kept=""
	for part in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
		local blank=${rest%%[![:blank:]]*}
		rest=${rest#"$blank"}
		[[ $rest == "$part"* ]] || part=$rest # the cursor is in it
		rest=${rest#"$part"}
		if [[ -z $blank && ${#words[@]} != 0 ]]; then
			kept=${words[-1]}
			words[-1]+=$part
		else
			kept=""
			words+=("$part")
		fi
		[[ $part != [=:] ]] || kept=${words[-1]}
	done
	cword=$((${#words[@]} - 1))
}

# Set typed to what the current word means without its quotes, and quote to the one that is open.
_invctl_unquote() {
	quote=""
	typed=$cur
	if [[ $cur == [\'\"]* ]]; then
		quote=${cur:0:1}
		typed=${cur:1}
	fi
	# Without -r, read takes the backslashes away.
	# shellcheck disable=SC2162
	[[ $quote == \' ]] || IFS= read typed <<<"$typed"
}

# The options of a command; a trailing = wants a value in the same word.
_invctl_options() {
	case $1 in
	run) echo "--cooperative --detach --finish= --finish-timeout= --id= --id-file= --kill-after=
		--name= --nested-wait= --no-kill --no-parent --output-limit= --preserve-status --signal=
		--signal-after= --signal-to= --stop= --timeout= --wait-hold" ;;
	cancel) echo "--all --children= --dry-run --idempotent --kill --name= --only --reason= --signal
		--verbose --wait" ;;
	pause) echo "--all --children= --name= --stop-processes" ;;
	resume) echo "--all --children= --name=" ;;
	list | ls | ps) echo "--all --full --json --name= --noheadings --output= --quiet --status= --tree" ;;
	show) echo "--json" ;;
	logs) echo "--follow --json --lines= --priority= --since=" ;;
	wait) echo "--all --any --children= --name= --timeout=" ;;
	status) echo "--json" ;;
	hold) echo "--cancel-all" ;;
	stop-all) echo "--reason= --wait=" ;;
	check | sleep) echo "--id= --peek" ;;
	log) echo "--id= --priority=" ;;
	shield) echo "--begin --end --limit=" ;;
	why) echo "--id= --json" ;;
	esac
	echo "--help --usage --version"
}

# The values of an option; fails where they are anybody's guess.
_invctl_values() {
	case $1:$2 in
	*:--table) _invctl_offer < <(_invctl_tables) ;;
	run:--signal | run:-s) _invctl_words "none $(compgen -A signal | sed -n 's/^SIG\([A-Z]\)/\1/p')" ;;
	cancel:--signal) _invctl_words "$(compgen -A signal | sed -n 's/^SIG\([A-Z]\)/\1/p')" ;;
	run:--id-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	run:--stop) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	list:--status | ls:--status | ps:--status)
		_invctl_list "pending running completed cancelled error requested stopping overdue paused
			stopped shielded finishing done failed lost" ;;
	list:--output | list:-o | ls:--output | ls:-o | ps:--output | ps:-o)
		_invctl_list "$(invctl list --help | sed -n '/^Columns:/,$s/^  \([a-z-]*\) .*/\1/p')" ;;
	log:--priority | log:-p | logs:--priority | logs:-p) _invctl_words "debug info warning error" ;;
	run:--id | run:--name | run:-n) return 1 ;;
	*:--name) _invctl_offer < <(_invctl_invocations name "$all") ;;
	why:--id) _invctl_offer < <(_invctl_invocations both -a) ;;
	*:--id | *:--children) _invctl_offer < <(_invctl_invocations both) ;;
	*) return 1 ;;
	esac
}

_invctl() {
	local cur prev words cword kept="" typed quote table="" command="" all="" at
	local commands="run cancel pause resume list ls ps show logs wait status hold release stop-all id check sleep log shield why help"
	COMPREPLY=()
	words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	[[ -z ${COMP_LINE:-} ]] || _invctl_split
	cur=${words[cword]} prev=${words[cword - 1]}

	for ((at = 1; at < cword; at++)); do
		case ${words[at]} in
		--table=*) table=${words[at]#--table=} ;;
		--table) table=${words[++at]} ;;
		-*) ;;
		*) command=${words[at]} && break ;;
		esac
	done
	[[ " ${words[*]:at} " != *\ @(-a|--all)\ * || $command != @(list|ls|ps) ]] || all=-a

	if [[ $cur == --*=* ]]; then
		local option=${cur%%=*}
		cur=${cur#*=}
		kept=${kept#"$option="}
		_invctl_unquote
		_invctl_values "$command" "$option"
		return
	fi
	_invctl_unquote
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
	cancel | pause | resume) _invctl_offer < <(_invctl_invocations both) ;;
	show | wait | logs) _invctl_offer < <(_invctl_invocations both -a) ;;
	list | ls | ps) _invctl_offer < <(_invctl_invocations name "$all") ;;
	help) _invctl_words "$commands" ;;
	run | shield)
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

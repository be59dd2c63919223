#!/usr/bin/env bats
# Completion in bash, zsh and fish: commands, options, values and invocations.

load helpers
load terminal

# completions WORD...: what is offered for the last word.
completions() {
	PATH=$(dirname "$INVCTL"):$PATH
	# shellcheck source=completions/invctl.bash
	source "$ROOT/completions/invctl.bash"
	COMP_WORDS=(invctl "$@")
	COMP_CWORD=$#
	_invctl
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "commands, and their options" {
	run -0 completions ca
	assert_output cancel
	run -0 completions cancel --re
	assert_output --regexp '^--reason'
	run -0 completions --table=x sho
	assert_output show
}

@test "every option that is offered is one" {
	local command option
	for command in run cancel pause resume list show logs wait status id check sleep log shield why; do
		run -0 "$INVCTL" "$command" --help
		for option in $(completions "$command" --); do
			assert_output --partial "${option%=}"
		done
	done
}

@test "every option that there is, is offered" {
	local command option
	for command in run cancel pause resume list show logs wait status id check sleep log shield why; do
		run -0 completions "$command" --
		for option in $("$INVCTL" "$command" --help | grep -o '^ .*  --[a-z-]*' | grep -o -- '--[a-z-]*'); do
			assert_output --partial "$option"
		done
	done
}

@test "live invocations by id and name; finished ones for show" {
	start --name=scan -- sleep 1000
	"$INVCTL" run --name=scandone true
	run -0 completions cancel sc
	assert_output scan
	run -0 completions wait "${ID:0:6}"
	assert_output "$ID"
	for command in show wait "why --id"; do
		# shellcheck disable=SC2086
		run -0 completions $command sc
		assert_output $'scan\nscandone'
	done
	run -0 completions list sc
	assert_output scan
	run -0 completions list --all --name=sc
	assert_output $'scan\nscandone'
}

@test "names are quoted, as the word is, and never expanded" {
	start --name='my scan' -- sleep 1000
	start --name='$(touch expanded)' -- sleep 1000
	start --name=$'tab\tname' -- sleep 1000
	local tabbed=$ID
	run -0 completions cancel my
	assert_output 'my\ scan'
	run -0 completions cancel 'my\ s'
	assert_output 'my\ scan'
	run -0 completions cancel "'my s"
	assert_output 'my scan'
	run -0 completions cancel --name='"my'
	assert_output 'my scan'
	run -0 completions cancel '\$'
	assert_output '\$\(touch\ expanded\)'
	# One that can't be shown as it is has its id alone.
	run -0 completions show tab
	assert_output ""
	run -0 completions show "${tabbed:0:13}"
	assert_output "$tabbed"
	[[ ! -e expanded ]]
}

@test "without a table nothing is offered or said, and no broker is started" {
	run -0 --separate-stderr completions show ""
	# shellcheck disable=SC2154
	[[ -z $output && -z $stderr && ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "values: signals, statuses, columns, levels" {
	run -0 completions run -s USR
	assert_output $'USR1\nUSR2'
	run -0 completions list --status=failed,lo
	assert_output failed,lost
	run -0 completions list -o id,name,che
	assert_output id,name,checked
	run -0 completions list --status=c
	assert_output $'completed\ncancelled'
	run -0 completions ps --status=over
	assert_output overdue
	run -0 completions list -o che
	assert_output checked
	run -0 completions log -p w
	assert_output warning
}

# In a shell, as its user sees it.

shell() { # NAME COMMAND
	command -v "$1" >/dev/null || skip "$1 is not installed"
	start --name='my scan' -- sleep 1000
	start --name='$(touch expanded)' -- sleep 1000
	start --name=row:12 -- sleep 1000
	DESCRIBED=$ID
	"$INVCTL" run --name='old one' true
	terminal_open 100 "$2" PATH="$(dirname "$INVCTL"):$PATH" HOME="$PWD" ZDOTDIR="$PWD" XDG_RUNTIME_DIR="$PWD"
}

# completes TEXT RESULT: what a Tab behind a command line makes of it.
completes() {
	tmux -S "$SOCKET" send-keys -l "invctl $1"
	tmux -S "$SOCKET" send-keys Tab
	retry line_is "$2"
	tmux -S "$SOCKET" send-keys C-u
	retry line_is ""
}

# zsh puts a comma behind a value of a list, and removes it at the end of the word.
line_is() {
	[[ $(screen | sed -n 's/,\{0,1\} *$//; s/^ready> *//p' | tail -n 1) == "${1:+invctl }$1" ]]
}

complete_in_shell() {
	completes 'cancel my' 'cancel my\ scan'
	completes "cancel 'my" "cancel 'my scan'"
	completes 'cancel my\ s' 'cancel my\ scan'
	completes 'cancel \$' 'cancel \$\(touch\ expanded\)'
	completes 'cancel row:' 'cancel row:12'
	completes 'cancel old' 'cancel old'
	completes 'show old' 'show old\ one'
	completes 'wait old' 'wait old\ one'
	completes 'why --id=old' 'why --id=old\ one'
	completes 'cancel --children=row:' 'cancel --children=row:12'
	completes 'list --status=failed,over' 'list --status=failed,overdue'
	completes 'list -o name,che' 'list -o name,checked'
	completes '--table=none show my' '--table=none show my'
	[[ ! -e expanded ]]
}

@test "bash" {
	printf '%s\n' "PS1='ready> '" "source $ROOT/completions/invctl.bash" >rc
	shell bash 'bash --noprofile --rcfile rc'
	complete_in_shell
}

@test "zsh, with descriptions" {
	printf '%s\n' "PS1='ready> '" "fpath=($ROOT/completions \$fpath)" "autoload -Uz compinit" \
		"compinit -u -D" >.zshrc
	shell zsh zsh
	complete_in_shell
	tmux -S "$SOCKET" send-keys -l 'invctl show '
	tmux -S "$SOCKET" send-keys Tab
	retry on_screen "$DESCRIBED  -- row:12"
}

@test "fish, with descriptions" {
	# It keeps files there.
	export TMPDIR=$BATS_TEST_TMPDIR
	printf '%s\n' "function fish_prompt; echo -n 'ready> '; end" "set fish_greeting" \
		"source $ROOT/completions/invctl.fish" >init
	shell fish 'fish -C "source init"'
	complete_in_shell
	run -0 env PATH="$(dirname "$INVCTL"):$PATH" HOME="$PWD" \
		fish -c "source init; complete -C 'invctl show ${DESCRIBED:0:13}'"
	assert_output "$DESCRIBED"$'\trow:12'
}

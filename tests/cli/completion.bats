#!/usr/bin/env bats
# bash completion of invctl: commands, options, values and live invocations.

load helpers

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
	run -0 completions --table=x sh
	assert_output show
}

@test "every option that is offered is one" {
	local command option
	for command in run cancel list show wait status id check sleep log why; do
		run -0 "$INVCTL" "$command" --help
		for option in $(completions "$command" --); do
			assert_output --partial "${option%=}"
		done
	done
}

@test "every option that there is, is offered" {
	local command option
	for command in run cancel list show wait status id check sleep log why; do
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
	run -0 completions show sc
	assert_output $'scan\nscandone'
}

@test "values: signals, statuses, columns, levels" {
	run -0 completions run -s USR
	assert_output $'USR1\nUSR2'
	run -0 completions list --status=c
	assert_output $'completed\ncancelled'
	run -0 completions ps --status=over
	assert_output overdue
	run -0 completions list -o che
	assert_output checked
	run -0 completions log -p w
	assert_output warning
}

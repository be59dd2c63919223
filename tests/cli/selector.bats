#!/usr/bin/env bats
# SELECTORs: a UUID in any case, the exact name of one live invocation (or to look back, of the
# newest finished one), a unique prefix of at least 4 digits; and groups, which may match nothing.

load helpers

FIRST=aaaa1111-0000-4000-8000-000000000001
SECOND=aaaa2222-0000-4000-8000-000000000002
THIRD=aaaa3333-0000-4000-8000-000000000003

# start_as ID [OPTION...] COMMAND...
start_as() {
	"$INVCTL" run --id="$1" "${@:2}" 3>&- &
	STARTED_PIDS+=($!)
	retry field_is "$1" .status running
}

shown() {
	"$INVCTL" show --json "$1" | jq -r .id
}

@test "a UUID, in any case" {
	start_as $FIRST sleep 1000
	[[ $(shown $FIRST) == "$FIRST" ]]
	[[ $(shown ${FIRST^^}) == "$FIRST" ]]
}

@test "a unique prefix of 4 digits or more, with hyphens and without, in any case" {
	start_as $FIRST sleep 1000
	for prefix in aaaa AAAA1 aaaa1111 aaaa1111- aaaa1111-00 aaaa111100 aaaa1111000040008000000000000001; do
		[[ $(shown $prefix) == "$FIRST" ]]
	done
	run -113 "$INVCTL" show aaa
	run -113 "$INVCTL" show aaaa-1111
}

@test "the exact name of one live invocation" {
	start_as $FIRST --name=scan sleep 1000
	start_as $SECOND --name=scan-2 sleep 1000
	[[ $(shown scan) == "$FIRST" ]]
	run -113 "$INVCTL" show sca
}

@test "ambiguous is 114, and the candidates are listed on stderr" {
	start_as $FIRST --name=twin sleep 1000
	start_as $SECOND --name=twin sleep 1000
	for selector in twin aaaa; do
		run -114 --separate-stderr "$INVCTL" cancel $selector
		# shellcheck disable=SC2154
		[[ -z $output && $stderr == *"$FIRST"* && $stderr == *"$SECOND"* ]]
	done
	# Nothing was asked.
	field_is $FIRST .cancel null
	field_is $SECOND .cancel null
}

@test "a name means the live one; without it, to show, wait and why, the newest finished one" {
	run -0 "$INVCTL" run --id=$FIRST --name=done true
	[[ $(shown "done") == "$FIRST" ]]
	"$INVCTL" run --id=$THIRD --name=done sh -c 'exit 3' || true
	[[ $(shown "done") == "$THIRD" ]]
	run -3 "$INVCTL" wait "done"
	run -1 --separate-stderr "$INVCTL" why --id="done"
	[[ $stderr == *"$THIRD"* ]]
	run -113 "$INVCTL" cancel "done"
	run -113 "$INVCTL" check --id="done"
	run -113 "$INVCTL" cancel --children="done"
	start_as $SECOND --name=done sleep 1000
	[[ $(shown "done") == "$SECOND" ]]
	# A prefix means finished ones, too.
	run -114 "$INVCTL" show aaaa
	[[ $(shown aaaa1111) == "$FIRST" ]]
}

@test "the newest finished one is the one that ended last" {
	start_as $FIRST --name=pair sleep 1000
	start_as $SECOND --name=pair sleep 1000
	"$INVCTL" cancel --wait=20s $SECOND
	"$INVCTL" cancel --wait=20s $FIRST
	[[ $(shown pair) == "$FIRST" ]]
}

@test "a name of finished ones alone is no target; it says so, and counts as done with --idempotent" {
	"$INVCTL" run --id=$FIRST --name=cafe true
	# The id begins with the name, and is not meant.
	start_as cafe1111-0000-4000-8000-000000000001 --name=other sleep 1000
	local command
	for command in cancel "cancel --kill" "cancel --idempotent --children" "check --id"; do
		# shellcheck disable=SC2086
		run -113 "$INVCTL" $command cafe
		assert_output --regexp "^invctl: no live invocation 'cafe': the last one of that name ended [0-9]+s ago \(completed\); 'invctl show $FIRST' tells how$"
	done
	run -0 "$INVCTL" cancel --idempotent cafe
	assert_output ""
	field_is cafe1111 .cancel null
	run -113 "$INVCTL" cancel --idempotent nothing
}

@test "ambiguous: a line for each with id, age and command, live ones first, ten at most" {
	local i
	start_as $FIRST --name=twin sleep 1000
	start_as $SECOND --name=twin sleep 1001
	run -114 --separate-stderr "$INVCTL" cancel twin
	# shellcheck disable=SC2154
	[[ ${#stderr_lines[@]} == 3 ]]
	[[ ${stderr_lines[0]} == "invctl: 'twin' means 2 invocations; choose one by its id:" ]]
	[[ ${stderr_lines[1]} =~ ^invctl:\ $SECOND\ \ running\ [0-9]+s\ \ sleep\ 1001$ ]]
	[[ ${stderr_lines[2]} =~ ^invctl:\ $FIRST\ \ running\ [0-9]+s\ \ sleep\ 1000$ ]]
	for i in {10..19}; do
		"$INVCTL" run --id="aaaa3333-0000-4000-8000-0000000000$i" true
	done
	run -114 --separate-stderr "$INVCTL" show aaaa
	[[ ${#stderr_lines[@]} == 12 ]]
	[[ ${stderr_lines[2]} == *"$FIRST  running "* ]]
	[[ ${stderr_lines[3]} =~ 000019\ \ completed\ [0-9]+s\ ago\ +true$ ]]
	[[ ${stderr_lines[11]} == "invctl: and 2 more" ]]
}

@test "ambiguous on a terminal: ids are as short as they can be, and a line fits" {
	start_as $FIRST --name=twin sh -c 'sleep 1000 # a comment that is far too long for a line of a terminal, and is cut'
	start_as aaaa1111-0001-4000-8000-000000000001 --name=twin sh -c $'sleep 1000 # \e[31m'
	run -114 script -qec '"$INVCTL" cancel twin' /dev/null
	local line shown
	for line in "${lines[@]%$'\r'}"; do
		((${#line} <= 80)) || return 1
	done
	shown=$(tr -d '\r' <<<"$output")
	[[ $shown =~ aaaa1111-0000\ \ running\ [0-9]+s\ \ sh\ -c\ sleep\ 1000\ #\ a\ comment.*\.\.\.$ ]]
	[[ $shown =~ aaaa1111-0001\ \ running\ [0-9]+s\ \ sh\ -c\ sleep\ 1000\ #\ .x1b ]]
	run -114 "$INVCTL" show aaaa1111-000
	[[ $(shown aaaa1111-0001) == aaaa1111-0001-* ]]
}

@test "a name that was too long for the table is found by its whole text" {
	local name
	name=$(printf 'n%.0s' {1..80})
	start_as $FIRST --name="$name" sleep 1000
	[[ $(shown "$name") == "$FIRST" ]]
}

@test "unknown is 113, and says where to look" {
	start_as $FIRST sleep 1000
	for selector in nobody bbbb bbbb1111-0000-4000-8000-000000000001; do
		run -113 "$INVCTL" cancel $selector
		assert_output "invctl: no invocation '$selector'; 'invctl list --all' shows the recent ones"
	done
}

@test "groups: --name, --all, --children" {
	start_as $FIRST --name=scan-1 "$INVCTL" run --name=inner sleep 1000
	start_as $SECOND --name=other sleep 1000
	retry inner_runs
	run -0 "$INVCTL" cancel --only --signal=CONT --name='scan-*'
	field_is $FIRST .cancel.cause requested
	field_is $SECOND .cancel null
	run -0 "$INVCTL" cancel --wait=20s --children=$FIRST
	[[ $("$INVCTL" list --all --json | jq -r '.[] | select(.action == "inner") | .status') == cancelled ]]
	field_is $SECOND .cancel null
	run -0 "$INVCTL" cancel --wait=20s --all
	field_is $SECOND .status cancelled
}

inner_runs() {
	[[ $("$INVCTL" list --json | jq -r '.[] | select(.action == "inner") | .status') == running ]]
}

@test "groups that match nothing are 0, with a table and without" {
	run -0 "$INVCTL" cancel --all
	run -0 "$INVCTL" wait --name='*'
	start_as $FIRST --name=scan sleep 1000
	run -0 "$INVCTL" cancel --name='nothing*'
	run -0 "$INVCTL" cancel --children=$FIRST
	run -0 "$INVCTL" wait --name='nothing*'
	run -0 "$INVCTL" wait --any --name='nothing*'
	run -113 "$INVCTL" cancel --children=bbbb
	field_is $FIRST .cancel null
}

@test "no selector at all is 2" {
	run -2 "$INVCTL" cancel
	run -2 "$INVCTL" wait
	run -2 "$INVCTL" show
	run -2 "$INVCTL" show a b
}

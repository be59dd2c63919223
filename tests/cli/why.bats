#!/usr/bin/env bats
# invctl why: cause, reason and actor of the last delivered request, else of the pending one, in
# one line.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers

@test "nothing was requested, or outside any context: a message and 1" {
	run -1 --separate-stderr "$INVCTL" why
	[[ -z $output && $stderr == "invctl: "* ]]
	run -1 --separate-stderr "$INVCTL" run "$INVCTL" why
	[[ -z $output && $stderr == *"there was no request to invocation"* ]]
	INVCTL_REQUIRE=1 run -113 "$INVCTL" why
}

@test "in the action, after it was asked" {
	start -- sh -c '"$INVCTL" sleep inf; "$INVCTL" why >out'
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel --reason="gas leak" "$ID"
	ended_with 0
	run -0 cat out
	assert_equal ${#lines[@]} 1
	assert_output --regexp "^requested: gas leak \\(by $(id -un).*, [0-9.]+ s ago\\)$"
}

@test "the script and the terminal from which it came; the program, where it is not invctl" {
	start -- sleep 1000
	printf '#!/bin/sh\n"$INVCTL" cancel -r "sample is melting" "$1"\nexit\n' >stop.sh
	chmod +x stop.sh
	script -qec "./stop.sh $ID" /dev/null
	ended_with 122
	run -0 "$INVCTL" why --id="$ID"
	assert_output --regexp "^requested: sample is melting \\(by $(id -un) on pts/[0-9]+, from stop.sh, [0-9.]+ s ago\\)$"
}

@test "the delivered request stands before a later one, the pending one else" {
	start -- sh -c '"$INVCTL" check --peek; until [ -e take ]; do sleep 0.02; done; "$INVCTL" check
		until [ -e let ]; do sleep 0.02; done'
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel "$ID"
	run -0 "$INVCTL" why --id="$ID"
	assert_output --regexp "^requested \\(by "
	touch take
	retry field_is "$ID" .cancel.state delivered
	"$INVCTL" cancel -r later "$ID"
	run -0 "$INVCTL" why --id="$ID"
	assert_output --regexp "^requested \\(by "
	touch let
	ended_with 0
}

@test "from outside, as JSON; also when it has ended" {
	start -- sleep 1000
	run -1 "$INVCTL" why --id="$ID"
	"$INVCTL" cancel --reason="gas leak" --wait=20s "$ID"
	run -0 "$INVCTL" why --id="$ID" --json
	echo "$output" | jq -e '.cause == "requested" and .reason == "gas leak" and .state == "signalled"
		and .actor.command == "invctl" and (.time | type == "string")'
	run -113 "$INVCTL" why --id=nobody
}

@test "the deadline is a request too, by nobody but run" {
	ID=$(new_id)
	run -124 "$INVCTL" run --id="$ID" --timeout=20ms sleep 1000
	run -0 "$INVCTL" why --id="$ID"
	assert_output --regexp '^deadline \([0-9.]+ s ago\)$'
}

@test "control characters of a reason reach no terminal" {
	start -- sleep 1000
	"$INVCTL" cancel --reason=$'\e]0;title\a' --wait=20s "$ID"
	run -0 "$INVCTL" why --id="$ID"
	assert_output --partial 'requested: \x1b]0;title\x07 (by '
}

@test "a broken context is 113" {
	INVCTL_ID=$(new_id) run -113 "$INVCTL" why
}

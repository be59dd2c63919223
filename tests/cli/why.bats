#!/usr/bin/env bats
# invctl why: cause, reason and actor of the last request.
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
	assert_line "cause: requested"
	assert_line "reason: gas leak"
	assert_line "state: delivered"
	assert_line "actor.uid: $(id -u)"
	assert_line "actor.command: invctl"
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
	assert_line "cause: deadline"
}

@test "control characters of a reason reach no terminal" {
	start -- sleep 1000
	"$INVCTL" cancel --reason=$'\e]0;title\a' --wait=20s "$ID"
	run -0 "$INVCTL" why --id="$ID"
	assert_line 'reason: \x1b]0;title\x07'
}

@test "a broken context is 113" {
	INVCTL_ID=$(new_id) run -113 "$INVCTL" why
}

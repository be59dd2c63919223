#!/usr/bin/env bats
# invctl id: which invocation is this?
# shellcheck disable=SC2154  # run sets output and stderr

load helpers

@test "prints the id of the invocation that it runs in" {
	ID=$(new_id)
	run -0 "$INVCTL" run --id="$ID" "$INVCTL" id
	assert_output "$ID"
}

@test "in lower case, whatever the environment says" {
	ID=$(new_id)
	INVCTL_ID=${ID^^} run -0 "$INVCTL" id
	assert_output "$ID"
}

@test "outside any: a message and 1, with INVCTL_REQUIRE=1 113" {
	run -1 --separate-stderr "$INVCTL" id
	[[ -z $output && $stderr == "invctl: "* ]]
	INVCTL_ID='' run -1 "$INVCTL" id
	INVCTL_REQUIRE=1 run -113 "$INVCTL" id
}

@test "under another table it is no context" {
	INVCTL_ID=$(new_id) run -1 "$INVCTL" --table=another-table id
	INVCTL_ID=$(new_id) run -0 "$INVCTL" --table="$INVCTL_TABLE" id
}

@test "an INVCTL_ID that is no UUID is 113" {
	INVCTL_ID=nonsense run -113 "$INVCTL" id
	assert_output --partial "'nonsense' is no UUID"
}

#!/usr/bin/env bats
# invctl check: 122 and the request is taken, else 0.

load helpers

@test "0 and silence where nothing was asked, and outside any context" {
	run -0 "$INVCTL" check
	assert_output ""
	run -0 "$INVCTL" check --peek
	run -0 "$INVCTL" run "$INVCTL" check
	assert_output ""
	[[ ! -e /dev/shm/another-table ]]
}

# Each line of the file "out" is an exit status.
STATUSES='note() { "$@"; echo $? >>out; }
	"$INVCTL" check --peek; touch ready
	until "$INVCTL" show --json "$INVCTL_ID" | jq -e .cancel >/dev/null; do sleep 0.02; done
	note "$INVCTL" check --peek; note "$INVCTL" check --peek
	note "$INVCTL" check; note "$INVCTL" check; note "$INVCTL" check --peek'

@test "a request is told to peeks again and again, and to one check once" {
	start -- sh -c "$STATUSES"
	retry test -e ready
	run -0 "$INVCTL" cancel "$ID"
	ended_with 0
	[[ $(paste -sd' ' out) == "1 1 122 0 0" ]]
	[[ $(field "$ID" .status) == completed ]]
	[[ $(field "$ID" .cancel.state) == delivered ]]
}

@test "of twenty checks at once, one takes the request" {
	start -- sh -c '"$INVCTL" check --peek; until [ -e let ]; do sleep 0.02; done
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			{ "$INVCTL" check; echo $? >out.$i; } &
		done; wait; exit 4'
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel "$ID"
	touch let
	ended_with 122
	[[ $(cat out.* | sort | uniq -c | awk '{ print $1 "x" $2 }' | paste -sd' ') == "19x0 1x122" ]]
}

@test "it is a look: the action is cooperative from then on" {
	start -- sh -c '"$INVCTL" check; until [ -e let ]; do sleep 0.02; done'
	retry field_is "$ID" .cooperative true
	[[ $(field "$ID" .lastCheck) == 20??-??-??T* ]]
	touch let
	ended_with 0
}

@test "--id looks for another invocation, by any selector" {
	start --name=scan -- sh -c '"$INVCTL" check; until [ -e let ]; do sleep 0.02; done'
	retry field_is "$ID" .cooperative true
	run -0 "$INVCTL" check --id=scan
	"$INVCTL" cancel "$ID"
	run -1 "$INVCTL" check --peek --id="${ID:0:8}"
	run -122 "$INVCTL" check --id="$ID"
	assert_output ""
	run -0 "$INVCTL" check --id="$ID"
	run -113 "$INVCTL" check --id=nobody
	touch let
	ended_with 0
	run -115 "$INVCTL" check --id="$ID"
}

@test "a broken context is no silence: 113 unknown, 115 finished, 113 no UUID" {
	ID=$(new_id)
	INVCTL_ID=$ID run -113 "$INVCTL" check
	assert_output --partial "no invocation $ID in table '$INVCTL_TABLE'"
	"$INVCTL" run --id="$ID" true
	INVCTL_ID=$ID run -115 "$INVCTL" check
	assert_output --partial "$ID has already finished"
	INVCTL_ID=$(new_id) run -113 "$INVCTL" check
	INVCTL_ID=nonsense run -113 "$INVCTL" check
}

@test "113 names another table of the caller's that has the id" {
	start -- sleep 1000
	local other=$INVCTL_TABLE
	INVCTL_TABLE=$other-wrong INVCTL_ID=$ID run -113 "$INVCTL" check
	assert_output --partial "table '$other' has it; use --table=$other"
	run -0 "$INVCTL" --table="$other" check --id="$ID"
}

@test "under another table INVCTL_ID is no context" {
	INVCTL_ID=$(new_id) run -0 "$INVCTL" --table=another-table check
	INVCTL_REQUIRE=1 INVCTL_ID=$(new_id) run -113 "$INVCTL" --table=another-table check
}

@test "with INVCTL_REQUIRE=1 the lack of a context has one cause" {
	INVCTL_REQUIRE=1 run -113 "$INVCTL" check
	assert_output --partial "INVCTL_ID is not set"
	refute_output --partial "--table"
	INVCTL_REQUIRE=1 INVCTL_ID=$(new_id) run -113 "$INVCTL" --table=another-table check
	assert_output --partial "leave --table out"
	refute_output --partial "is not set"
}

@test "INVCTL_REQUIRE=1 makes the lack of a context 113" {
	INVCTL_REQUIRE=1 run -113 "$INVCTL" check
	assert_output --partial "INVCTL_REQUIRE=1"
	INVCTL_REQUIRE=0 run -0 "$INVCTL" check
	INVCTL_REQUIRE=1 run -0 "$INVCTL" run "$INVCTL" check
}

@test "it works without a broker, and starts none" {
	start -- sleep 1000
	end_broker
	INVCTL_ID=$ID run -0 "$INVCTL" check
	[[ -z $(broker_pid) ]]
}

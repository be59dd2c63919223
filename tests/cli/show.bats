#!/usr/bin/env bats
# invctl show: everything about one, its last log records included.

load helpers

@test "text: a line for each key, values that are null left out" {
	start --name=scan -- sleep 1000
	run -0 "$INVCTL" show "$ID"
	assert_line "id: $ID"
	assert_line "action: scan"
	assert_line "status: running"
	assert_line "command: sleep 1000"
	assert_line "cooperative: no"
	refute_line --partial "timeCompleted"
}

@test "the words of a command are quoted as a shell would need them" {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" true 'two words' "it's" '' plain
	run -0 "$INVCTL" show "$ID"
	assert_line "command: true 'two words' 'it'\\''s' '' plain"
	[[ $(field "$ID" '.command | length') == 5 ]]
}

@test "JSON of one that was asked to stop" {
	start --name=scan -- sleep 1000
	"$INVCTL" cancel --reason="gas leak" --wait=20s "$ID"
	run -0 "$INVCTL" show --json "$ID"
	echo "$output" | jq -e '
		.status == "cancelled" and .cause == "requested" and .signal == 15 and .exitStatus == null
		and .cancel.state == "signalled" and .cancel.cause == "requested"
		and .cancel.reason == "gas leak" and .cancel.actor.command == "invctl"
		and (.cancel.actor.pid | type == "number") and (.cancel.time | type == "string")
		and (.timeCompleted | type == "string") and .log == []'
}

@test "JSON of one that failed, and of one that could not be run" {
	ID=$(new_id)
	run -3 "$INVCTL" run --id="$ID" sh -c 'exit 3'
	[[ $(field "$ID" '[.status, .exitStatus, .signal, .cancel] | @json') == '["error",3,null,null]' ]]
	ID=$(new_id)
	run -127 "$INVCTL" run --id="$ID" ./nothing
	[[ $(field "$ID" '[.status, .cause] | @json') == '["error","exec"]' ]]
}

@test "the log comes with it: all of what is kept in JSON, the last ten in text" {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" sh -c 'seq 1 15 | "$INVCTL" log -; "$INVCTL" log -p error "it broke"'
	[[ $(field "$ID" '.log | length') == 16 ]]
	[[ $(field "$ID" '.log[0] | [.level, .message] | @json') == '["info","1"]' ]]
	[[ $(field "$ID" '.log[15] | [.level, .message] | @json') == '["error","it broke"]' ]]
	[[ $(field "$ID" '.log[15].time') == 20??-??-??T* ]]
	run -0 "$INVCTL" show "$ID"
	assert_line --regexp ' error +it broke$'
	assert_line --regexp ' info +7$'
	refute_line --regexp ' info +6$'
}

@test "deadline and what it leaves" {
	ID=$(new_id)
	run -124 "$INVCTL" run --id="$ID" --timeout=50ms sleep 1000
	[[ $(field "$ID" '[.status, .cause, .cancel.cause] | @json') == '["cancelled","deadline","deadline"]' ]]
	[[ $(field "$ID" '.deadline > .timeRequested') == true ]]
}

@test "without a table it is 113" {
	run -113 "$INVCTL" show abcd
}

#!/usr/bin/env bats
# invctl show: everything about one, its last log records included.

load helpers

@test "text: a page for a person, what is not known left out" {
	start --name=scan -- sleep 1000
	run -0 "$INVCTL" show "$ID"
	assert_line --regexp "^ID +$ID$"
	assert_line --regexp '^Name +scan$'
	assert_line --regexp '^State +running$'
	assert_line --regexp '^Ran +[0-9.]+m?s so far$'
	assert_line --regexp '^Command +sleep 1000$'
	assert_line --regexp '^Checked +never$'
	assert_line --regexp "^Process +$(field "$ID" .pid) of $(id -un), supervised by $RUN_PID$"
	refute_line --partial "Request"
	refute_line --partial "Deadline"
	refute_line --partial "Output"
}

@test "text: who requested its end, why, and how far that has come" {
	start --name=outer -- sh -c 'trap "touch told" TERM; touch ready; until [ -e end ]; do sleep 0.02; done; exit 3'
	retry test -e ready
	"$INVCTL" cancel --reason="gas leak" "$ID"
	retry test -e told
	run -0 "$INVCTL" show "$ID"
	assert_line --regexp '^State +stopping$'
	assert_line --regexp '^Request +[0-9]+s ago, signalled$'
	assert_line --regexp "^  by +$(id -un)(, [a-z0-9/]+)?, bats-exec-test$"
	assert_line --regexp '^  reason +gas leak$'
	touch end
	ended_with 122
	run -0 "$INVCTL" show "$ID"
	assert_line --regexp '^State +cancelled$'
	assert_line --regexp '^Ran +[0-9.]+m?s, ended [0-9]+s ago$'
}

@test "text: the file of a detached one's output with its size, parent, deadline" {
	local id inner
	id=$("$INVCTL" run --detach --timeout=1h -- sh -c 'echo 12345; "$INVCTL" run --id-file=inner sleep 1000')
	retry test -e inner
	retry output_is_there "$id"
	run -0 "$INVCTL" show "$id"
	assert_line --regexp "^Output +$INVCTL_STATE_DIR/$INVCTL_TABLE/$id\.out, 6 bytes$"
	assert_line --regexp '^Deadline +in (1h|59m[0-9s]*)$'
	[[ $(field "$id" .output) == "$INVCTL_STATE_DIR/$INVCTL_TABLE/$id.out" ]]
	inner=$(cat inner)
	run -0 "$INVCTL" show "$inner"
	assert_line --regexp "^Parent +sh ${id:0:8}$"
	"$INVCTL" cancel --wait=20s "$id"
}

output_is_there() {
	[[ $(stat -c %s "$(field "$1" .output)") == 6 ]]
}

@test "the words of a command are quoted as a shell would need them" {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" true 'two words' "it's" '' plain
	run -0 "$INVCTL" show "$ID"
	assert_line "Command   true 'two words' 'it'\\''s' '' plain"
	[[ $(field "$ID" '.command | length') == 5 ]]
}

@test "JSON of one that was asked to stop" {
	start --name=scan -- sleep 1000
	"$INVCTL" cancel --reason="gas leak" --wait=20s "$ID"
	run -0 "$INVCTL" show --json "$ID"
	echo "$output" | jq -e --arg user "$(id -un)" '
		.status == "cancelled" and .cause == "requested" and .signal == 15 and .exitStatus == null
		and .cancel.state == "signalled" and .cancel.cause == "requested"
		and .cancel.reason == "gas leak" and .cancel.actor.command == "invctl"
		and .cancel.actor.user == $user and (.cancel.actor | has("terminal") and has("script") and has("address"))
		and .state == "cancelled"
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

#!/usr/bin/env bats
# invctl list: what lives, and with --all what has ended, at a glance or as JSON.

load helpers

@test "without a table it is empty, and 0" {
	run -0 "$INVCTL" list --noheadings
	assert_output ""
	run -0 "$INVCTL" list --json
	assert_output "[]"
	run -0 "$INVCTL" list --all --tree --json
	assert_output "[]"
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "a live one: id, name, state, progress, age, last look" {
	start --name=scan -- sleep 1000
	run -0 "$INVCTL" list
	assert_line --index 0 --regexp '^ID +NAME +STATE +PROGRESS +AGE +LAST LOOK$'
	assert_line --index 1 --regexp "^$ID +scan +running +- +[0-9.]+m?s +-$"
	run -0 "$INVCTL" ls -n
	[[ ${#lines[@]} == 1 ]]
}

@test "the id that a terminal shows is short, and a selector" {
	start --name=scan -- sleep 1000
	local shown
	shown=$(script -qec '"$INVCTL" list -n -o id' /dev/null | tr -d '\r')
	[[ $shown == "${ID:0:8}" ]]
	field_is "$shown" .id "$ID"
}

@test "finished ones only with --all" {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" true
	run -0 "$INVCTL" list -n
	assert_output ""
	for option in -a --all; do
		run -0 "$INVCTL" list -n $option
		assert_output --regexp "^$ID +true +completed "
	done
}

@test "--status and --name choose" {
	"$INVCTL" run --name=good true
	run -3 "$INVCTL" run --name=bad sh -c 'exit 3'
	start --name=lives -- sleep 1000
	run -0 "$INVCTL" list -n -o name --status=error
	assert_output bad
	run -0 "$INVCTL" list -n -o name --status=completed,running
	assert_output $'good\nlives'
	run -0 "$INVCTL" list -n -o name --all --name='*d'
	assert_output $'good\nbad'
	run -0 "$INVCTL" list -n -o name --name='*d'
	assert_output ""
	run -2 "$INVCTL" list --status=nonsense
	assert_output --partial "completed"
}

@test "--output chooses columns, +adds some, and help names them all" {
	start --name=scan -- sleep 1000
	run -0 "$INVCTL" list -n -o uuid,status,command,cwd
	assert_output "$ID  running  sleep 1000  $PWD"
	run -0 "$INVCTL" list -o name -o +pid
	assert_line --index 0 "NAME  PID"
	run -2 "$INVCTL" list -o name,nonsense
	assert_output --partial "'nonsense' is no column"
	local column
	for column in $("$INVCTL" list --help | sed -n '/^Columns:/,$s/^  \([a-z-]*\) .*/\1/p'); do
		run -0 "$INVCTL" list -n -o "$column"
		[[ ${#lines[@]} == 1 ]]
	done
}

@test "state: asked, and shielded; after 10 s overdue" {
	start --name=scan -- sh -c '"$INVCTL" check --peek; until [ -e let ]; do sleep 0.02; done; "$INVCTL" check'
	retry field_is "$ID" .cooperative true
	[[ $("$INVCTL" list -n -o state) == running ]]
	"$INVCTL" cancel "$ID"
	[[ $("$INVCTL" list -n -o state) == asked ]]
	retry state_is overdue
	touch let
	ended_with 122
	[[ $("$INVCTL" list -a -n -o state) == cancelled ]]
}

state_is() {
	[[ $("$INVCTL" list -n -o state) == "$1" ]]
}

@test "--tree puts each behind the one that started it" {
	start --name=outer -- sh -c '"$INVCTL" run --name=middle "$INVCTL" run --name=inner sleep 1000; :'
	local outer=$ID
	retry runs inner
	start --name=alone -- sleep 1000
	run -0 "$INVCTL" list -n --tree -o name
	assert_output $'outer\n- middle\n  - inner\nalone'
	[[ $("$INVCTL" list --json | jq -r '.[] | select(.action == "middle") | .parent') == "$outer" ]]
}

runs() {
	[[ $("$INVCTL" list --json | jq -r ".[] | select(.action == \"$1\") | .status") == running ]]
}

@test "--json has every key, with its type" {
	start --name=scan -- sleep 1000
	run -0 --separate-stderr "$INVCTL" list --json
	echo "$output" | jq -e --arg id "$ID" --arg cwd "$PWD" --argjson uid "$(id -u)" '
		length == 1 and (.[0] |
		.id == $id and .action == "scan" and .status == "running"
		and (.timeRequested | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}[+-]\\d\\d:\\d\\d$"))
		and (.timeStarted | type == "string") and .timeCompleted == null
		and .parent == null and (.pid | type == "number") and .uid == $uid
		and .command == ["sleep", "1000"] and .cwd == $cwd
		and .deadline == null and .cancel == null and .cooperative == false
		and .lastCheck == null and .shielded == false and .paused == false and .finishing == false
		and .progress == null and .exitStatus == null and .signal == null and .cause == null
		and (has("log") | not))'
}

@test "times have the local offset" {
	TZ=Asia/Kolkata "$INVCTL" run true
	[[ $(TZ=UTC-5:30 "$INVCTL" list --all --json | jq -r '.[0].timeRequested') == *+05:30 ]]
	[[ $(TZ=UTC+3 "$INVCTL" list --all --json | jq -r '.[0].timeRequested') == *-03:00 ]]
}

@test "names: control characters are escaped in text, what is not UTF-8 is U+FFFD in JSON" {
	start --name=$'a\e[31m\xff\nb' -- sleep 1000
	run -0 "$INVCTL" list -n -o name
	assert_output 'a\x1b[31m\xff\nb'
	[[ $("$INVCTL" list --json | jq -r '.[0].action') == $'a\e[31m\xef\xbf\xbd\nb' ]]
}

@test "it works while the broker is stopped, and without one" {
	start --name=scan -- sleep 1000
	kill -STOP "$(broker_pid)"
	[[ $("$INVCTL" list -n -o name) == scan ]]
	end_broker
	[[ $("$INVCTL" list -n -o name) == scan ]]
}

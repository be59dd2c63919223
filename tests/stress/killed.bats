#!/usr/bin/env bats
# Who is stopped or killed while something else is going on: supervisors, brokers, actions,
# terminals. The promises: an action that lost its supervisor goes on and stays cancellable,
# with its deadline and kill-after; clean-up completes; there is one outcome; nothing is left.
# BUILD is the build's folder (build).

load ../cli/helpers

# A shell command line that cleans up when it is told to: `cleaned` is there when it is done,
# which waits for `go`.
CLEANS_UP='trap "touch cleaning; while [ ! -e go ]; do sleep 0.02; done; touch cleaned; exit 0" TERM HUP INT
	touch ready; while :; do sleep 0.02; done'

wait_for() { # file…
	local file
	for file in "$@"; do
		retry test -e "$file" || return
	done
}

stop_supervisor() {
	kill -STOP "$RUN_PID"
	retry supervisor_is_stopped
}

supervisor_is_stopped() {
	[[ $(ps -o stat= -p "$RUN_PID") == T* ]]
}

kill_supervisor() {
	kill -KILL "$RUN_PID"
	retry process_is_gone "$RUN_PID"
}

nested_id() {
	"$INVCTL" list --json | jq -er --arg id "$ID" \
		'[.[] | select(.parent == $id and .status == "running")][0].id'
}

learn_nested() {
	retry nested_id
	NESTED=$(nested_id)
	NESTED_ACTION=$(field "$NESTED" .pid)
	STARTED_PIDS+=("$NESTED_ACTION")
}

@test "a stopped supervisor: a request waits, cancel -v says why, and it is delivered when it goes on" {
	start -- sleep 1000
	stop_supervisor
	run "$INVCTL" cancel -v "$ID"
	assert_success
	assert_output --partial "supervisor is stopped"
	assert_output --partial "kill -CONT $RUN_PID"
	run "$INVCTL" cancel --wait=100ms "$ID"
	assert_failure 119
	[ "$(field "$ID" .cancel.state)" = requested ]
	kill -CONT "$RUN_PID"
	ended_with 122
}

@test "a stopped supervisor: cancel --kill works all the same" {
	start -- sh -c 'trap "" TERM; while :; do sleep 0.02; done'
	stop_supervisor
	run "$INVCTL" cancel --kill --wait=20s "$ID"
	assert_success
	ended_with 137
}

@test "a stopped supervisor: a cooperative action gets the request, and the end is recorded when it goes on" {
	start -- sh -c "touch ready; '$INVCTL' sleep 1000; echo \$? >slept"
	wait_for ready
	retry field_is "$ID" .cooperative true
	stop_supervisor
	"$INVCTL" cancel "$ID"
	wait_for slept
	[ "$(cat slept)" = 122 ]
	[ "$(field "$ID" .status)" = running ]
	kill -CONT "$RUN_PID"
	ended_with 0
}

@test "a stopped supervisor: deadline and kill-after that passed meanwhile are made up for" {
	start --timeout=2s --kill-after=100ms -- sh -c 'trap "" TERM; while :; do sleep 0.02; done'
	stop_supervisor
	retry deadline_has_passed
	[ "$(field "$ID" .status)" = running ]
	kill -CONT "$RUN_PID"
	ended_with 137
	[ "$(field "$ID" .cause)" = deadline ]
}

deadline_has_passed() {
	[ "$(date +%s)" -gt "$(date -d "$(field "$ID" .deadline)" +%s)" ]
}

@test "signals to run while the action cleans up do not disturb it" {
	start sh -c "$CLEANS_UP"
	wait_for ready
	"$INVCTL" cancel "$ID"
	wait_for cleaning
	kill -HUP "$RUN_PID"
	kill -TERM "$RUN_PID"
	kill -INT "$RUN_PID"
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 122
	[ -e cleaned ]
	[ "$(field "$ID" .exitStatus)" = 0 ]
}

@test "the supervisor killed during clean-up: it completes, and the end is recorded" {
	start sh -c "$CLEANS_UP"
	wait_for ready
	"$INVCTL" cancel "$ID"
	wait_for cleaning
	kill_supervisor
	# The broker leaves it alone, whatever is asked now.
	retry field_is "$ID" .orphaned true
	"$INVCTL" cancel "$ID"
	touch go
	run "$INVCTL" wait --timeout=20s "$ID"
	assert_failure 122
	[ -e cleaned ]
	[ "$(field "$ID" .status)" = cancelled ]
}

# An action, and one that is nested in it. It minds a nested one that ended by a request.
start_nested() { # option…
	start "$@" -- sh -c "'$INVCTL' run -- sh -c 'touch inner; exec sleep 1000'; echo \$? >inner-status
		[ \"\$(cat inner-status)\" = 122 ] || sleep 1000; exit 1"
	wait_for inner
	ACTION=$(field "$ID" .pid)
	STARTED_PIDS+=("$ACTION")
	learn_nested
	NESTED_SUPERVISOR=$(field "$NESTED" .ownerPid)
}

both_have_ended() {
	local id
	for id in "$ID" "$NESTED"; do
		run "$INVCTL" wait --timeout=20s "$id"
		[[ $status == 122 || $status == 124 || $status == 137 ]] || return
	done
	retry process_is_gone "$ACTION"
	retry process_is_gone "$NESTED_ACTION"
}

@test "the outer supervisor of two killed: cancel reaches both, leaves first" {
	start_nested
	kill_supervisor
	"$INVCTL" cancel "$ID"
	both_have_ended
	[ "$(field "$NESTED" .cancel.cause)" = parent ]
}

@test "the nested supervisor killed: its action is no process of the parent, and cancel reaches it" {
	start_nested
	kill -KILL "$NESTED_SUPERVISOR"
	retry field_is "$NESTED" .orphaned true
	[ "$(field "$NESTED" .status)" = running ]
	"$INVCTL" cancel --only "$NESTED"
	run "$INVCTL" wait --timeout=20s "$NESTED"
	assert_failure 122
	# The parent saw its run killed, and goes on.
	wait_for inner-status
	[ "$(cat inner-status)" = 137 ]
	[ "$(field "$ID" .status)" = running ]
	"$INVCTL" cancel "$ID"
	ended_with 122
}

# Nothing came back to the parent's script from the nested run, so it is signalled itself.
@test "both supervisors and the broker killed: a new broker adopts both, and cancel ends both" {
	start_nested
	end_broker
	kill -KILL "$RUN_PID" "$NESTED_SUPERVISOR"
	retry process_is_gone "$RUN_PID"
	"$INVBROKER" --table="$INVCTL_TABLE"
	retry field_is "$ID" .orphaned true
	retry field_is "$NESTED" .orphaned true
	[ "$(field "$ID" .status) $(field "$NESTED" .status)" = "running running" ]
	"$INVCTL" cancel "$ID"
	both_have_ended
}

@test "supervisors and broker killed: deadline and kill-after hold under the next broker" {
	start_nested --timeout=2s --kill-after=100ms
	end_broker
	kill -KILL "$RUN_PID"
	retry process_is_gone "$RUN_PID"
	"$INVBROKER" --table="$INVCTL_TABLE"
	both_have_ended
	[ "$(field "$ID" .cause)" = deadline ]
}

@test "the broker killed while it holds an action that was asked: the next one goes on with it" {
	start --kill-after=3s -- sh -c 'trap "echo . >>terms" TERM; touch ready; while :; do sleep 0.02; done'
	wait_for ready
	kill_supervisor
	retry field_is "$ID" .orphaned true
	"$INVCTL" cancel "$ID"
	wait_for terms
	end_broker
	"$INVBROKER" --table="$INVCTL_TABLE"
	run "$INVCTL" wait --timeout=20s "$ID"
	assert_failure 137
	# It was signalled once, whoever looked after it.
	[ "$(wc -l <terms)" = 1 ]
}

@test "supervisor and actions killed, nested ones included: all lost, within the broker's time" {
	start_nested
	kill -KILL "$RUN_PID" "$NESTED_SUPERVISOR" "$ACTION" "$NESTED_ACTION"
	local id
	for id in "$ID" "$NESTED"; do
		run "$INVCTL" wait --timeout=20s "$id"
		assert_failure 125
		[ "$(field "$id" .cause)" = lost ]
	done
	[ "$("$INVCTL" list --json | jq length)" = 0 ]
}

@test "an action taken over: what has left its session and its parents is found by its environment" {
	start -- sh -c 'setsid sh -c "sleep 1000 & echo \$! >far.new; mv far.new far"; touch ready; sleep 1000'
	wait_for ready far
	local far
	far=$(cat far)
	STARTED_PIDS+=("$far")
	kill_supervisor
	# Its parent is gone, and whoever adopts orphans here has it.
	"$INVCTL" cancel --wait=20s "$ID"
	retry process_is_gone "$far"
}

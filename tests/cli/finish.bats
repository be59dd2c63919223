#!/usr/bin/env bats
# What follows a command: its finish command, run once after every end, whatever is killed, and the
# leftovers that a cancelled one is waited for.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers
load broker

# A finish command that writes down what it knows of the end.
# shellcheck disable=SC2016
WRITE='echo "$INVCTL_STATUS $INVCTL_CAUSE $INVCTL_EXIT $INVCTL_REASON" >>known; '

finish_is() { # STATE
	field_is "$ID" .finish.state "$1"
}

has_lines() { # FILE COUNT: at least
	(($(wc -l <"$1") >= $2))
}

is_known() { # LINE: alone
	[[ $(cat known) == "$1" ]]
}

@test "the finish command runs after success, failure and a signal; run exits as it did" {
	run -0 "$INVCTL" run --finish="$WRITE" true
	is_known 'completed exit 0 '
	rm known
	run -3 "$INVCTL" run --finish="$WRITE" sh -c 'exit 3'
	is_known 'error exit 3 '
	rm known
	run -137 "$INVCTL" run --finish="$WRITE" sh -c 'kill -KILL $$'
	is_known 'error signal 137 '
}

@test "the finish command runs after a request, a deadline and SIGKILL, with the reason" {
	start --finish="$WRITE" sleep 1000
	"$INVCTL" cancel -r 'sample is melting' "$ID"
	ended_with 122
	is_known 'cancelled requested 122 sample is melting'
	rm known
	run -124 "$INVCTL" run --timeout=50ms --finish="$WRITE" sleep 1000
	is_known 'cancelled deadline 124 '
	rm known
	start --finish="$WRITE" sh -c "trap '' TERM; touch ready; while :; do sleep 0.02; done"
	retry test -e ready
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	is_known 'cancelled requested 137 '
}

@test "a command that was never started has no finish command to run" {
	run -127 "$INVCTL" run --id="$(new_id | tee id)" --finish="$WRITE" ./nothing-here
	[[ ! -e known ]]
	assert_equal "$(field "$(cat id)" .finish.state)" skipped
}

@test "the finish command is part of the invocation: sleep, log and nested runs work in it" {
	run -0 "$INVCTL" run --id="$(new_id | tee id)" --finish="
		set -e
		'$INVCTL' check
		'$INVCTL' sleep 0.05
		'$INVCTL' log parked
		'$INVCTL' run --name=park -- touch nested
		pwd >where; echo \"\$INVCTL_ID \$MARK\" >context" env MARK=other true
	[[ -e nested ]]
	assert_equal "$(cat where)" "$PWD"
	assert_equal "$(cat context)" "$(cat id) "
	assert_equal "$(field "$(cat id)" '.log[0].message')" parked
	assert_equal "$(field "$(cat id)" '.finish | [.state, .exitStatus] | @csv')" '"ended",0'
}

@test "while it finishes the outcome is decided: cancel is 115, its sleeps go on, wait waits" {
	mkfifo gate
	start --finish="touch finishing; '$INVCTL' sleep 0.05 || exit; read -r _ <gate; touch parked" \
		sleep 1000
	# Pending for ever, as nothing checks: it must not stop the finish command.
	"$INVCTL" cancel "$ID"
	retry test -e finishing
	retry field_is "$ID" .state finishing
	assert_equal "$(field "$ID" .status)" running
	assert_equal "$(field "$ID" .finish.state)" running
	run -115 "$INVCTL" cancel "$ID"
	run -119 "$INVCTL" wait --timeout=0 "$ID"
	echo >gate
	ended_with 122
	[[ -e parked ]]
}

@test "a pending request does not stop the finish command, and starts of nested runs go on" {
	start --signal=none --finish="'$INVCTL' sleep 0.02 && '$INVCTL' run touch parked" \
		sh -c 'while [ ! -e go ]; do sleep 0.02; done'
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 0
	[[ -e parked ]]
	assert_equal "$(field "$ID" .cancel.state)" requested
}

@test "the finish command's own failure is recorded and reported, and changes no outcome" {
	run -0 --separate-stderr "$INVCTL" run --id="$(new_id | tee id)" --finish='exit 4' true
	[[ $stderr == *"the finish command of 'true' exited with 4"* ]]
	assert_equal "$(field "$(cat id)" .finish.exitStatus)" 4
	assert_equal "$(field "$(cat id)" .status)" completed
}

@test "--finish-timeout ends a finish command that hangs" {
	run -0 --separate-stderr "$INVCTL" run --id="$(new_id | tee id)" --finish-timeout=50ms \
		--finish='sleep 1000' true
	[[ $stderr == *'--finish-timeout'* ]]
	assert_equal "$(field "$(cat id)" .finish.signal)" 15
}

@test "cancel --kill reaches the finish command only if made while it runs" {
	mkfifo gate
	start --finish='trap "" TERM; touch finishing; read -r _ <gate; touch parked' \
		sh -c "trap '' TERM; touch ready; while :; do sleep 0.02; done"
	retry test -e ready
	"$INVCTL" cancel --kill "$ID"
	retry test -e finishing
	echo >gate
	ended_with 137
	[[ -e parked ]]
	start --finish='touch hangs; exec sleep 1000' true
	retry test -e hangs
	run -0 "$INVCTL" cancel --kill "$ID"
	ended_with 0
	assert_equal "$(field "$ID" .finish.signal)" 9
}

@test "kill-after does not reach the finish command" {
	start --kill-after=50ms --finish="'$INVCTL' sleep 0.3 && touch parked" \
		sh -c "trap '' TERM; touch ready; while :; do sleep 0.02; done"
	retry test -e ready
	"$INVCTL" cancel "$ID"
	ended_with 137
	[[ -e parked ]]
}

@test "a closed pipe and a closed input do not stop the finish command" {
	# The reader has gone before it starts, or goes in the middle.
	"$INVCTL" run --finish='set -e; echo lost; echo lost; touch parked' sh -c 'sleep 0.2' <&- | true
	retry test -e parked
	"$INVCTL" run --finish='echo a; until [ -e go ]; do sleep 0.02; done; echo lost; touch parked-too' true |
		{ read -r _; exec <&-; touch go; }
	retry test -e parked-too
}

@test "the finish command waits for leftovers of a request, and starts when they have ended" {
	start --finish='test -e cleaned && touch parked' \
		sh -c 'trap "(while [ ! -e go ]; do sleep 0.02; done; touch cleaned) & exit" TERM
			touch ready; while :; do sleep 0.02; done'
	retry test -e ready
	"$INVCTL" cancel "$ID"
	retry field_is "$ID" .state finishing
	assert_equal "$(field "$ID" .finish.state)" pending
	touch go
	ended_with 122
	[[ -e parked ]]
}

@test "the finish command waits for nested invocations" {
	start --finish='test -e moved && touch parked' \
		sh -c "'$INVCTL' run sh -c 'while [ ! -e go ]; do sleep 0.02; done; touch moved' &
			exit 0"
	retry field_is "$ID" .state finishing
	assert_equal "$(field "$ID" '[.waitingFor[].command] | index("invctl") != null')" true
	touch go
	ended_with 0
	[[ -e parked ]]
}

@test "the supervisor killed: the broker runs the finish command when the action has ended" {
	serve
	mkfifo gate
	MARK=here start --finish="$WRITE"'echo "$MARK $PWD" >where' sh -c 'read -r _ <gate'
	kill_supervisor
	retry is_in_log "$ID .*has lost its supervisor"
	[[ ! -e known ]]
	echo >gate
	run -125 "$INVCTL" wait --timeout=20s "$ID"
	is_known 'error lost 125 '
	assert_equal "$(cat where)" "here $PWD"
	assert_equal "$(field "$ID" '.finish | [.state, .exitStatus] | @csv')" '"ended",0'
}

@test "action and supervisor killed at once: the broker runs the finish command" {
	serve
	MARK=here start --finish="$WRITE"'echo "$MARK $PWD" >where' sleep 1000
	kill -KILL "$RUN_PID" "$(field "$ID" .pid)"
	run -125 "$INVCTL" wait --timeout=20s "$ID"
	is_known 'error lost 125 '
	assert_equal "$(cat where)" "here $PWD"
}

@test "action, supervisor and broker killed at once: the next broker runs the finish command" {
	serve
	start --finish="$WRITE" sleep 1000
	kill -KILL "$BROKER" "$RUN_PID" "$(field "$ID" .pid)"
	wait "$BROKER" || true
	run -0 env INVCTL_AUTOSTART=0 "$INVCTL" list
	field_is "$ID" .status running
	[[ ! -e known ]]
	serve
	run -125 "$INVCTL" wait --timeout=20s "$ID"
	is_known 'error lost 125 '
}

@test "the supervisor killed while it finishes: the process is waited for, and run again" {
	serve
	mkfifo gate
	start --finish='echo begun >>runs; read -r _ <gate; echo done >>runs' sh -c 'exit 3'
	retry finish_is running
	kill -KILL "$RUN_PID"
	retry is_in_log "$ID .*has lost its supervisor"
	assert_equal "$(wc -l <runs)" 1
	echo >gate
	retry has_lines runs 3
	echo >gate
	# The outcome was decided before.
	run -3 "$INVCTL" wait --timeout=20s "$ID"
	assert_equal "$(tr '\n' ' ' <runs)" 'begun done begun done '
}

@test "the broker killed while it runs a finish command: the next one runs it again" {
	serve
	mkfifo gate
	start --finish='echo begun >>runs; read -r _ <gate; echo done >>runs' sleep 1000
	kill -KILL "$RUN_PID" "$(field "$ID" .pid)"
	retry test -s runs
	STARTED_PIDS+=("$(field "$ID" .pid)")
	kill -KILL "$BROKER"
	wait "$BROKER" || true
	serve
	retry is_in_log "$ID .*has lost its supervisor"
	assert_equal "$(wc -l <runs)" 1
	echo >gate
	retry has_lines runs 3
	echo >gate
	run -125 "$INVCTL" wait --timeout=20s "$ID"
	assert_equal "$(tr '\n' ' ' <runs)" 'begun done begun done '
}

@test "the finish command is in the state directory, for its user alone, and not in the segment" {
	start --finish='true secret-finish-command' sleep 1000
	run ! grep -q secret-finish-command "/dev/shm/$INVCTL_TABLE"
	run -0 grep -lr secret-finish-command "$INVCTL_STATE_DIR"
	assert_equal "$(stat -c %a "$output")" 600
	"$INVCTL" cancel "$ID"
	ended_with 122
	assert_equal "$(stat -c %a "$output")" 400
}

@test "a forgotten background process does not keep a cancelled run open" {
	local seconds=$((100000 + RANDOM))
	start sh -c "sleep $seconds & '$INVCTL' sleep 60 || exit"
	retry field_is "$ID" .cooperative true
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	run ! pgrep -f "sleep $seconds"
	ended_with 122
}

@test "clean-up that was started after the delivery is waited for, and not signalled" {
	start sh -c "'$INVCTL' sleep 60 ||
		{ (trap 'touch signalled' TERM; while [ ! -e go ]; do sleep 0.02; done; touch parked) & exit; }" \
		2>messages
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel "$ID"
	retry field_is "$ID" .state finishing
	retry grep -q 'exited with 0; waiting for .* sh' messages
	run -0 "$INVCTL" show "$ID"
	[[ $output == *'its command exited with 0; waiting for '* ]]
	assert_equal "$(field "$ID" '[.waitingFor[].command] | index("sh")')" 0
	assert_equal "$(field "$ID" .pid)" null
	run -115 --separate-stderr "$INVCTL" cancel --wait=10ms "$ID"
	[[ $stderr == *'still runs: its command exited with 0; waiting for '* ]]
	touch go
	ended_with 0
	[[ -e parked && ! -e signalled ]]
}

@test "with --stop what is left gets SIGTERM, with --signal=none nothing" {
	local seconds=$((100000 + RANDOM))
	start --stop='touch stop' sh -c "sleep $seconds & touch ready
		while [ ! -e stop ]; do sleep 0.02; done"
	retry test -e ready
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	run ! pgrep -f "sleep $seconds"
	ended_with 122
	start --signal=none sh -c "sleep $seconds & '$INVCTL' sleep 60 || exit" 2>messages
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel "$ID"
	retry grep -q "waiting for .* sleep" messages
	run -0 pgrep -f "sleep $seconds"
	"$INVCTL" cancel --kill "$ID"
	ended_with 122
}

@test "--signal-to=command leaves the rest of its processes to it" {
	start --signal-to=command sh -c 'sh -c "trap \"touch other\" TERM
			touch other-ready; while [ ! -e go ]; do sleep 0.02; done" &
		trap "touch go; wait; touch parked; exit 0" TERM
		touch ready; while :; do sleep 0.02; done'
	retry test -e ready -a -e other-ready
	"$INVCTL" cancel "$ID"
	ended_with 122
	[[ -e parked && ! -e other ]]
	run -2 "$INVCTL" run --signal-to=none true
}

@test "--signal-to=command: parking into a pipe is not killed by the end of its reader" {
	for _ in 1 2 3 4 5; do
		rm -f ready parked
		start --signal-to=command bash -c "exec > >(tee log)
			trap 'echo parking; sleep 0.05; echo parked; touch parked; exit' TERM
			touch ready; while :; do sleep 0.02; done"
		retry test -e ready
		"$INVCTL" cancel "$ID"
		ended_with 122
		[[ -e parked ]]
	done
}

@test "--cooperative: no signal, not even before the first check" {
	start --cooperative sh -c "trap 'touch signalled' TERM; touch ready
		while [ ! -e go ]; do sleep 0.02; done; '$INVCTL' check || exit"
	retry test -e ready
	assert_equal "$(field "$ID" .cooperative)" true
	assert_equal "$(field "$ID" .lastCheck)" null
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 122
	[[ ! -e signalled ]]
	assert_equal "$(field "$ID" .cancel.state)" delivered
}

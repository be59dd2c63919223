# What the tests of the broker share, beside helpers.bash.
# shellcheck shell=bash

# serve [OPTION...]: a broker in the background of the test; then $BROKER is its pid.
serve() {
	"$INVBROKER" --foreground "$@" 2>>"$BATS_TEST_TMPDIR/broker.log" 3>&- &
	BROKER=$!
	STARTED_PIDS+=("$BROKER")
	retry is_served_by "$BROKER"
}

is_served_by() {
	[[ $(broker_pid) == "$1" ]]
}

# kill_supervisor: of what `start` started; its action goes on as $ACTION.
kill_supervisor() {
	ACTION=$(field "$ID" .pid)
	STARTED_PIDS+=("$ACTION")
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" 2>/dev/null || true
}

# run_ends_with STATUS: what `start` started. In this shell, whose child it is.
run_ends_with() {
	local status=0
	wait "$RUN_PID" || status=$?
	assert_equal "$status" "$1"
}

is_in_log() {
	cat "$BATS_TEST_TMPDIR/broker.log" "$INVCTL_STATE_DIR"/broker.log \
		"$INVCTL_STATE_DIR"/*/broker.log 2>/dev/null | grep -q -- "$1"
}

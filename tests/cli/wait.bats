#!/usr/bin/env bats
# invctl wait: until all, or one, have ended; and exit as run would have.

load helpers

# run_to_end STATUS COMMAND...: $ID is the id of one that has exited so.
run_to_end() {
	local status=0
	ID=$(new_id)
	"$INVCTL" run --id="$ID" "${@:2}" || status=$?
	[[ $status == "$1" ]]
}

@test "exits as run did: success, failure, signal, not found, deadline, cancelled, killed" {
	run_to_end 0 true
	run -0 "$INVCTL" wait "$ID"
	run_to_end 7 sh -c 'exit 7'
	run -7 "$INVCTL" wait "$ID"
	run_to_end 138 sh -c 'kill -USR1 $$'
	run -138 "$INVCTL" wait "$ID"
	run_to_end 127 ./nothing
	run -127 "$INVCTL" wait "$ID"
	run_to_end 124 --timeout=20ms sleep 1000
	run -124 "$INVCTL" wait "$ID"
	start -- sleep 1000
	"$INVCTL" cancel "$ID"
	run -122 "$INVCTL" wait "$ID"
	start -- sleep 1000
	"$INVCTL" cancel --kill "$ID"
	run -137 "$INVCTL" wait "$ID"
}

@test "waits until it has ended" {
	start -- sh -c 'until [ -e let ]; do sleep 0.02; done; exit 5'
	"$INVCTL" wait "$ID" 3>&- &
	local waiter=$! status=0
	STARTED_PIDS+=("$waiter")
	retry waits "$waiter"
	touch let
	retry process_is_gone "$waiter"
	wait "$waiter" || status=$?
	[[ $status == 5 ]]
}

# It sleeps in futex(2).
waits() {
	grep -q '^State:[[:space:]]*S' "/proc/$1/status"
}

@test "--timeout is 119, and changes nothing" {
	start -- sleep 1000
	for option in -t0.05 --timeout=50ms --timeout=0; do
		run -119 --separate-stderr "$INVCTL" wait $option "$ID"
		# shellcheck disable=SC2154
		[[ -z $output && $stderr == *"$ID still runs"* ]]
	done
	[[ $(field "$ID" .status) == running ]]
	run -2 "$INVCTL" wait -t nonsense "$ID"
}

# start_jobs COUNT: job-1, job-2, ...
start_jobs() {
	local number
	for ((number = 1; number <= $1; number++)); do
		"$INVCTL" run --detach --name="job-$number" sleep 1000
	done
}

@test "--timeout with several names all that still run, and counts the rest of many" {
	start_jobs 6 >ids
	"$INVCTL" cancel --wait=20s job-2
	run -119 "$INVCTL" wait -t 10ms --name='job-*'
	assert_output --partial "5 invocations still run: "
	local number
	for number in 1 3 4 5 6; do
		assert_output --partial "'job-$number' ("
	done
	refute_output --partial "job-2"
	run -119 "$INVCTL" wait -t 10ms --any job-1 job-3
	assert_output --partial "2 invocations still run: 'job-1' ("
	"$INVCTL" cancel --wait=20s --all
	start_jobs 11 >ids
	run -119 "$INVCTL" wait -t 0 --name='job-*'
	assert_output --partial "11 invocations still run: "
	assert_output --partial ", and 3 more"
	"$INVCTL" cancel --wait=20s --all
}

@test "several: the first that is not 0, in the order of the arguments" {
	local three five good
	run_to_end 3 sh -c 'exit 3'
	three=$ID
	run_to_end 5 sh -c 'exit 5'
	five=$ID
	run_to_end 0 true
	good=$ID
	run -3 "$INVCTL" wait "$good" "$three" "$five"
	run -5 "$INVCTL" wait "$five" "$good" "$three"
	run -113 "$INVCTL" wait "$good" nobody "$three"
	run -3 "$INVCTL" wait "$three" nobody
}

@test "--any: as the one that has ended" {
	start -- sleep 1000
	local first=$ID
	start -- sh -c 'until [ -e let ]; do sleep 0.02; done; exit 6'
	run -119 "$INVCTL" wait --any --timeout=50ms "$first" "$ID"
	"$INVCTL" wait --any "$first" "$ID" 3>&- &
	local waiter=$! status=0
	STARTED_PIDS+=("$waiter")
	touch let
	retry process_is_gone "$waiter"
	wait "$waiter" || status=$?
	[[ $status == 6 ]]
	run -6 "$INVCTL" wait --any "$first" "$ID"
	run -113 "$INVCTL" wait --any "$first" nobody
}

@test "a group, and unknown ones" {
	run -113 "$INVCTL" wait nobody
	start --name=a -- sh -c 'until [ -e let ]; do sleep 0.02; done'
	touch let
	run -0 "$INVCTL" wait --timeout=20s --name='a*'
}

@test "one whose supervisor and action were killed is lost: 125" {
	start -- sleep 1000
	kill -KILL "$RUN_PID" "$(field "$ID" .pid)"
	run -125 "$INVCTL" wait --timeout=20s "$ID"
	[[ $(field "$ID" .cause) == lost ]]
}

#!/usr/bin/env bats
# The examples do what their first comments say, and leave nothing behind.

load cli/helpers

setup() {
	setup_table
	PATH=$BUILD:$BUILD/examples:$ROOT/examples:$PATH
}

# For ended_with, and ended with the test whatever comes.
track() { # pid
	RUN_PID=$1
	STARTED_PIDS+=("$1")
}

lines_in() { # file at-least
	[[ -f $1 && $(wc -l <"$1") -ge $2 ]]
}

# status_of NAME: of the one invocation of that name, live or finished.
status_of() {
	"$INVCTL" list --all --json | jq -r --arg name "$1" '.[] | select(.action == $name) | .status'
}

looked() { # name
	[[ $("$INVCTL" show --json "$1" | jq .cooperative) == true ]]
}

has_progress() { # name
	[[ $("$INVCTL" show --json "$1" | jq '.progress != null') == true ]]
}

# retry gives a command 20 s.
ended_in_a_minute() { # pid
	retry process_is_gone "$1" || retry process_is_gone "$1" || retry process_is_gone "$1"
}

@test "the demonstration goes as it says and leaves nothing behind" {
	mkdir folder
	TMPDIR=$PWD/folder demo.sh >output 2>errors 3>&- &
	track "$!"
	ended_in_a_minute "$RUN_PID"
	ended_with 0
	assert_equal "$(tail -n 1 output)" 'All went as expected.'
	assert_equal "$(cat errors)" ''
	assert_equal "$(ls -A folder)" ''
	assert [ ! -e "/dev/shm/invctl-demo-$RUN_PID" ]
}

@test "the demonstration exits 1 where an action does not park" {
	mkdir examples
	cp "$ROOT"/examples/*.sh examples/
	sed "s/echo \"# .*readings\"/true/" "$ROOT/examples/sensors" >examples/sensors
	chmod +x examples/sensors
	BUILD=$BUILD TMPDIR=$BATS_TEST_TMPDIR run examples/demo.sh
	assert_failure 1
	assert_output --partial 'not as expected: the footer tells of the request'
}

@test "sensors writes its readings by itself, and ends the file" {
	run sensors readings.csv 3 10ms
	assert_success
	assert_equal "$(head -n 1 readings.csv | cut -d , -f 1-4)" \
		'time,uptime_s,load_1min,memory_available_kib'
	assert_equal "$(wc -l <readings.csv)" 5
	assert_equal "$(tail -n 1 readings.csv)" '# complete after 3 of 3 readings'
	assert [ ! -e readings.csv.lock ]
}

@test "sensors has as many fields in each reading as in the header" {
	run sensors readings.csv 2 10ms
	assert_success
	assert_equal "$(grep -v '^#' readings.csv | awk -F , '{ print NF }' | sort -u | wc -l)" 1
}

@test "sensors parks when it is asked to stop" {
	start --name=sensors -- sensors readings.csv 1000 20ms
	retry lines_in readings.csv 4
	"$INVCTL" cancel sensors
	ended_with 122
	run tail -n 1 readings.csv
	assert_output --regexp '^# asked to stop after [0-9]+ of 1000 readings$'
	assert [ ! -e readings.csv.lock ]
	assert_equal "$(field "$ID" .cancel.state)" delivered
}

@test "sensors leaves a file alone that another one is writing" {
	mkdir readings.csv.lock
	run sensors readings.csv 1 10ms
	assert_failure 1
	assert [ ! -e readings.csv ]
	assert [ -d readings.csv.lock ]
}

@test "stage parks at its end, and is recorded as completed" {
	run stage 2
	assert_success
	assert_output 'stage: parked at 0 mm'
	assert_equal "$(status_of stage)" completed
}

@test "stage parks when it is asked to stop, and exits with 122" {
	stage 1000 >output 3>&- &
	track "$!"
	retry has_progress stage
	"$INVCTL" cancel --wait=20s stage
	ended_with 122
	assert_equal "$(cat output)" 'stage: parked at 0 mm'
	assert_equal "$(status_of stage)" cancelled
}

@test "one cancel stops the experiment and all that is nested in it, leaves first" {
	start --name=experiment -- nested.sh >parked
	retry looked heater
	retry looked shutter
	"$INVCTL" cancel experiment
	ended_with 122
	assert_equal "$(grep -E '^(shutter|camera)' parked)" $'shutter parked\ncamera parked'
	assert_equal "$(tail -n 1 parked)" 'experiment parked'
	assert_equal "$(wc -l <parked)" 4
	for name in experiment camera heater shutter; do
		assert_equal "$(status_of "$name")" cancelled
	done
}

@test "overnight runs to its end, in dash and in bash, and parks" {
	local shell
	for shell in dash bash; do
		run "$shell" "$ROOT/examples/overnight.sh" 2
		assert_success
		assert_equal "$(cat stage.txt)" parked
		assert_equal "$(tail -n 1 overnight.log)" parked
	done
}

@test "overnight is parked whenever and however it is stopped, a hundred times" {
	OVERNIGHT=$ROOT/examples/overnight.sh run "$ROOT/tests/stress/overnight.py" 105
	echo "$output"
	assert_success
	assert_line '105 of 105 parked'
}

@test "the story of a night goes as it says and leaves nothing behind" {
	mkdir folder
	TMPDIR=$PWD/folder "$ROOT/examples/jobs.sh" >output 2>errors 3>&- &
	track "$!"
	ended_in_a_minute "$RUN_PID"
	! grep -q 'not permitted here' errors || skip "$(cat errors)"
	ended_with 0
	assert_equal "$(tail -n 1 output)" 'All went as expected.'
	assert_equal "$(grep -c ': ended: cancelled$' output)" 8
	assert_equal "$(ls -A folder)" ''
}

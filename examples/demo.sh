#!/usr/bin/env bash
# What `make demo` shows: actions that are started, listed, and stopped cleanly from
# another process: one in shell, one in C, and one that runs others.
#
# It works in a table, a state directory and a folder of its own, and leaves nothing
# behind. Exits 1 if anything does not go as it says. BUILD is the build folder (build).
set -u
cd "$(dirname "$0")/.." || exit 1
. examples/story.sh demo

sensors_in_shell() {
	local id status=0

	tell 'An action in shell samples the sensors of this machine into a CSV file. It is' \
		'started in the background; what is printed is the id of its invocation.'
	show invctl run --detach --name=sensors -- sensors readings.csv 20 200ms | tee id
	id=$(cat id)
	expect 'the action writes its readings' await lines_in readings.csv 11

	tell 'It runs:'
	show invctl list

	tell 'Another process requests its stop, half-way:'
	show invctl cancel --reason='coolant is low' sensors
	expect 'cancel succeeds' [ "$?" -eq 0 ]

	tell 'and waits for its end. 122 says: cancelled.'
	show invctl wait "$id" || status=$?
	echo "exit status $status"
	expect 'wait exits with 122' [ "$status" -eq 122 ]

	tell 'The record tells who requested it, why, and that the action took the request itself:'
	show invctl show "$id" | tee record
	expect 'it is recorded as cancelled' grep -q '^State *cancelled' record
	expect 'with the reason' grep -q 'coolant is low' record

	tell 'It had the time to park: the file has its footer, and no lock is left.'
	show tail -n 3 readings.csv
	expect 'the footer tells of the request' grep -q '^# asked to stop after' readings.csv
	expect 'the lock directory is gone' [ ! -e readings.csv.lock ]
}

stage_in_c() {
	local pid

	tell 'An action in C, linked with the library, is an invocation by itself:'
	echo '$ stage 200 &'
	stage 200 &
	pid=$!
	expect 'the stage moves' await moving stage
	show invctl list
	show invctl cancel --wait=10s stage
	expect 'the stage has parked and exits with 122' exited_with 122 "$pid"
}

experiment_with_nested() {
	local pid

	tell 'An action that runs others: they are nested in it.'
	echo '$ invctl run --name=experiment -- nested.sh >parked.txt &'
	invctl run --name=experiment -- nested.sh >parked.txt &
	pid=$!
	expect 'four invocations run' await live 4
	expect 'the leaves check for themselves' await checked heater shutter
	show invctl list --tree

	tell 'One cancel stops all, the leaves first:'
	show invctl cancel --wait=10s experiment
	expect 'the experiment exits with 122' exited_with 122 "$pid"
	show cat parked.txt
	expect 'the shutter parked before the camera' \
		[ "$(grep -E '^(shutter|camera)' parked.txt | head -n 1)" = 'shutter parked' ]
	expect 'the experiment parked last of four' \
		[ "$(sed -n '4p' parked.txt)" = 'experiment parked' ]
}

sensors_in_shell
stage_in_c
experiment_with_nested

tell 'Nothing runs any more. The demonstration ends its broker and removes its table.'
show invctl list
expect 'nothing is live' live 0
end_story

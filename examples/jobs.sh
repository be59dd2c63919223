#!/usr/bin/env bash
# A night in the laboratory: ten jobs are started and left alone; one is followed, one paused; a hold
# keeps new ones from starting, and outlives the broker, which is killed; one job fails at night and
# is found in the morning; in between a gas alarm stops everything.
#
# It has a /dev/shm and a network of its own, as `invctl stop-all` stops all that runs on a machine.
# Where that is not permitted it says so and exits with 77. Exits 1 if anything does not go as it
# says. BUILD is the build folder (build).
set -u
if [ "${1-}" != --inside ]; then
	user=()
	[ "$(id -u)" -eq 0 ] || user=(--user --map-root-user)
	unshare "${user[@]}" --mount --net mount -t tmpfs none /dev/shm || {
		echo 'jobs: a /dev/shm of its own is not permitted here, and the machine is left alone' >&2
		exit 77
	}
	exec unshare "${user[@]}" --mount --net -- "$0" --inside
fi
mount -t tmpfs none /dev/shm || exit 1
cd "$(dirname "$0")/.." || exit 1
. examples/story.sh jobs

# A job that works in steps, says so, and parks when it is requested to stop.
cat >job.sh <<'SCRIPT'
#!/bin/sh
name=$1 steps=$2
invctl check || exit
for step in $(seq "$steps"); do
	echo "$name: step $step of $steps"
	if [ "$name" = laser ] && [ "$step" -eq 3 ]; then
		invctl log -p error 'the interlock is open'
		exit 3
	fi
	invctl sleep 100ms || { status=$?; echo "$name: parked"; exit "$status"; }
done
invctl log "all $steps steps done"
SCRIPT
chmod +x job.sh

status_is() { # name status
	invctl list --all --noheadings --output=name,status | grep -q "^$1 *$2"
}

state_is() { # name state
	invctl list --noheadings --output=name,state | grep -q "^$1 *$2"
}

exits_with() { # status command…
	local expected=$1 status=0
	shift
	"$@" || status=$?
	echo "exit status $status"
	expect "'$*' exits with $expected" [ "$status" -eq "$expected" ]
}

start_jobs() {
	local name

	tell 'Evening. Ten jobs are started in the background; each prints the id of its invocation.'
	show invctl run --detach --name=camera -- ./job.sh camera 3
	for name in laser oven pump stage valves scope balance mixer chiller; do
		show invctl run --detach --name="$name" -- ./job.sh "$name" 6000
	done
	tell 'The camera has little to do. Its output is followed until it has ended:'
	show invctl logs --follow camera
	expect 'the camera has completed' status_is camera completed
	tell 'What runs:'
	show invctl list
}

pause_one() {
	tell 'The oven waits while its door is open, and goes on:'
	await state_is oven running
	show invctl pause oven
	expect 'the oven is paused' state_is oven paused
	show invctl resume oven
	expect 'it goes on' state_is oven running
}

hold_for_the_night() {
	local broker

	tell 'Night. Nothing new starts; what runs goes on.'
	show invctl hold 'night: the bench is unattended'
	exits_with 118 show invctl run --name=late -- ./job.sh late 3

	tell 'The broker is killed. The jobs do not notice, and the hold stands.'
	broker=$(broker_pid)
	echo "\$ kill -KILL $broker"
	kill -KILL "$broker"
	await process_is_gone "$broker"
	exits_with 118 show invctl run --name=late -- ./job.sh late 3
	expect 'eight jobs run' await live 8
}

alarm() {
	tell 'A gas alarm. One command stops everything, and says what became of it:'
	exits_with 0 show invctl stop-all --reason='gas alarm'
	expect 'nothing runs' live 0
}

morning() {
	tell 'Morning. What ended how?'
	show invctl list --all
	tell 'One has failed by itself, before the alarm. Its log and output tell why:'
	show invctl list --all --status=failed
	show invctl logs laser
	exits_with 3 show invctl wait laser
	expect 'its log is found' grep -q 'the interlock is open' <(invctl logs laser)
	tell 'The hold is released, and work goes on:'
	show invctl release
	exits_with 0 show invctl run --name=first -- ./job.sh first 2
}

start_jobs
pause_one
hold_for_the_night
alarm
morning
end_story

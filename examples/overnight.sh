#!/bin/sh
# A night's measurement, in a shell: a stage that visits positions, each move an invocation nested in
# this one; a sampler in the background; all that is said goes into a log by way of tee.
#
#   invctl run --name=overnight --finish='overnight.sh --park' -- overnight.sh [POSITIONS]
#
# The stage (here the file stage.txt) must be parked when the script is over, whatever ends it: a
# request at any moment, Ctrl-C, a closed terminal, SIGKILL. Runs in dash as in bash.
set -u

park() {
	echo parked >stage.tmp && mv stage.tmp stage.txt
}

# The sampler leaves a request to the measurement: --peek takes none.
sample() {
	while invctl sleep --peek 50ms; do
		cut -d ' ' -f 1 /proc/loadavg >>samples.txt
	done
}

# Shielded, as clean-up must not be stopped in the middle. dash runs no trap for EXIT after a
# signal, so the signals have traps of their own, which exit.
clean_up() {
	echo "parking"
	kill "$sampler" 2>/dev/null
	invctl shield -- "$script" --park
	echo "parked"
}

measure() { # positions
	invctl check || exit # from here on it is cooperative: no signal comes
	sample &
	sampler=$!
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	position=0
	while [ "$position" -lt "$1" ]; do
		position=$((position + 1))
		invctl run --name=move -- "$script" --move "$position" || exit
		echo "position $position of $1" && invctl log "position $position of $1"
		invctl sleep 20ms || exit
	done
}

script=$(command -v -- "$0") || exit
case ${1:-100} in
--park) park ;;
--move) echo "at $2" >stage.txt && invctl sleep 30ms ;;
*)
	# The status of a pipeline is tee's, so the measurement's goes by a file.
	{
		(measure "${1:-100}")
		echo $? >status.txt
	} 2>&1 | tee -i overnight.log
	read -r status <status.txt && exit "$status"
	;;
esac

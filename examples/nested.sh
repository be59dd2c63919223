#!/bin/sh
# An action that runs others, each an invocation nested in it:
#
#   experiment
#   |-- heater
#   `-- camera
#       `-- shutter
#
#   invctl run --name=experiment examples/nested.sh
#
# `invctl cancel experiment` stops all four. Each gets the request, and parks when those that it
# started have ended: the leaves first. A nested run that comes back with 122 leaves the
# request to its parent, whose own check takes it.
set -u

role=${1:-experiment}

nested() { # role
	invctl run --name="$1" -- "$0" "$1"
}

case $role in
experiment)
	nested heater &
	heater=$!
	nested camera
	wait "$heater"
	invctl check
	;;
camera)
	nested shutter
	invctl check
	;;
heater | shutter)
	invctl sleep 60s
	;;
*)
	echo "nested.sh: there is no role '$role'" >&2
	exit 2
	;;
esac
status=$?

echo "$role parked"
exit "$status"

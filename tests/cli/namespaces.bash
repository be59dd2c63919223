# Namespaces of a test's own, beside helpers.bash. What needs one asks first, in the test itself
# (skip has no effect within `run` or in the background), and skips with unshare's own reason:
# a container or a chroot may not permit it.
# shellcheck shell=bash

need_mount_namespace() {
	local reason
	reason=$(unshare --mount mount -t tmpfs none /mnt 2>&1) || skip "no mounts of its own: $reason"
}

in_mount_namespace() { # command...
	unshare --mount "$@"
}

need_pid_namespace() {
	local reason
	reason=$(unshare --pid --fork --mount-proc true 2>&1) || skip "no PID namespace of its own: $reason"
}

# All in it end with the function.
in_pid_namespace() { # command...
	unshare --pid --fork --kill-child --mount-proc "$@"
}

# A machine of the test's own, as far as tables go: /dev/shm and the brokers' sockets. What acts on
# every table of the machine reaches no other test's there. $INVCTL and $INVBROKER run in it, and so
# does what `inside` runs; $SHM is its /dev/shm. end_machine ends all that runs in it.
private_machine() {
	local reason program
	reason=$(unshare --mount --net mount -t tmpfs none /dev/shm 2>&1) || skip "no machine of its own: $reason"
	unshare --mount --net sh -c 'mount -t tmpfs none /dev/shm && exec sleep 100000' 3>&- &
	MACHINE=$!
	STARTED_PIDS+=("$MACHINE")
	retry machine_is_ready
	export SHM=/proc/$MACHINE/root/dev/shm
	mkdir -p "$BATS_TEST_TMPDIR/inside"
	for program in "$INVCTL" "$INVBROKER"; do
		# shellcheck disable=SC2016  # it is expanded where it runs
		printf '#!/bin/sh\nexec nsenter --target %s --mount --net --wdns="$PWD" -- %s "$@"\n' \
			"$MACHINE" "$program" >"$BATS_TEST_TMPDIR/inside/${program##*/}"
	done
	chmod +x "$BATS_TEST_TMPDIR/inside"/*
	INVCTL=$BATS_TEST_TMPDIR/inside/invctl INVBROKER=$BATS_TEST_TMPDIR/inside/invbroker
}

machine_is_ready() {
	[[ $(cat "/proc/$MACHINE/comm") == sleep ]]
}

inside() { # command...
	nsenter --target "$MACHINE" --mount --net --wdns="$PWD" -- "$@"
}

end_machine() {
	local process machine
	[[ -n ${MACHINE-} ]] || return 0
	machine=$(readlink "/proc/$MACHINE/ns/mnt") || return 0
	for process in /proc/[0-9]*; do
		[[ $(readlink "$process/ns/mnt" 2>/dev/null) != "$machine" ]] ||
			kill -KILL "${process#/proc/}" 2>/dev/null || true
	done
}

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

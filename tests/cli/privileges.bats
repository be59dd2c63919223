#!/usr/bin/env bats
# "A program that runs with raised privileges (AT_SECURE) ignores all of them": the variables of the
# user who started it, PATH included, decide neither what it executes nor where it makes files.
# A setuid copy of invctl stands for any program with the library in it.

load helpers

USER_ID=61001

setup() {
	((EUID == 0)) || skip "only root can make a program setuid"
	setup_table
	PLACE=$(mktemp -d)
	chmod 0755 "$PLACE"
	cp "$INVCTL" "$PLACE/invctl"
	chmod 4755 "$PLACE/invctl"
	! findmnt -n -o OPTIONS -T "$PLACE" | grep -qw nosuid || skip "setuid has no effect in $PLACE"
	mkdir -m 0777 "$PLACE/state" "$PLACE/bin"
}

teardown() {
	((EUID == 0)) || return 0
	teardown_table
	rm -rf "$PLACE"
}

as_user() {
	setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups "$@"
}

@test "no broker of the caller's PATH is executed, nor one beside the program" {
	printf '#!/bin/sh\ntouch %s/state/executed\n' "$PLACE" >"$PLACE/bin/invbroker"
	chmod 0755 "$PLACE/bin/invbroker"
	cp "$PLACE/bin/invbroker" "$PLACE"
	run -116 as_user env PATH="$PLACE/bin:$PATH" "$PLACE/invctl" --table="$INVCTL_TABLE" run true
	[[ ! -e $PLACE/state/executed ]]
}

@test "INVCTL_STATE_DIR, XDG_STATE_HOME and HOME of the caller are not used" {
	"$INVBROKER" 3>&-
	# Root's own home is covered by an empty one.
	# shellcheck disable=SC2016  # expanded by the inner shell
	run -0 unshare -m sh -c 'mount -t tmpfs none "$(awk -F: "\$3 == 0 { print \$6; exit }" /etc/passwd)" && exec "$@"' - \
		setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups \
		env INVCTL_STATE_DIR="$PLACE/state/own" XDG_STATE_HOME="$PLACE/state" HOME="$PLACE/state" \
		"$PLACE/invctl" --table="$INVCTL_TABLE" run true
	run -0 find "$PLACE/state" -mindepth 1
	assert_output ""
}

@test "INVCTL_TABLE and INVCTL_ID of the caller are not used" {
	run -1 as_user env INVCTL_ID="$(new_id)" "$PLACE/invctl" id
	run as_user env INVCTL_TABLE="a/b" "$PLACE/invctl" status
	refute_output --partial "a table's name"
}

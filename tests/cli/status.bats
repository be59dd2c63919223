#!/usr/bin/env bats
# invctl status: table, broker, use, and problems with their remedies.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154  # actions are single-quoted; a test is a subshell; run sets output

load helpers

@test "without a table it is 116, and makes none" {
	run -116 --separate-stderr "$INVCTL" status
	[[ -z $output && $stderr == "invctl: there is no table '$INVCTL_TABLE'"* ]]
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "all is well: 0" {
	start -- sleep 1000
	"$INVCTL" run true
	run -0 "$INVCTL" status
	assert_line "table: $INVCTL_TABLE"
	assert_line "live: 1"
	assert_line "finished: 1"
	assert_line "problems: none"
	run -0 "$INVCTL" status --json
	echo "$output" | jq -e --arg table "$INVCTL_TABLE" '
		.table == $table and (.broker.pid | type == "number") and (.broker.version | type == "string")
		and (.broker.since | type == "string") and .capacity == 65536 and .live == 1
		and .finished == 1 and .hold == null and .problems == []'
	grep -q invbroker "/proc/$(broker_pid)/comm"
}

@test "no broker: null, a problem, and 1" {
	"$INVCTL" run true
	end_broker
	run -1 "$INVCTL" status --json
	echo "$output" | jq -e '.broker == null and (.problems | length == 1)
		and (.problems[0] | test("no broker serves"))'
	run -1 "$INVCTL" status
	assert_line --partial "no broker serves the table"
}

@test "the name removed under a live table is a problem that names the setting" {
	start -- sleep 1000
	rm "/dev/shm/$INVCTL_TABLE"
	run -1 "$INVCTL" status
	assert_line --partial "RemoveIPC=no"
	assert_line "live: 1"
}

@test "where logind will remove the name at logout, status and run --detach name the setting" {
	((EUID == 0)) || skip "needs a user of its own"
	unshare --mount true 2>/dev/null || skip "no mount namespace is permitted here"
	local user=$((4400000 + $$))
	INVCTL_STATE_DIR=$(mktemp -d)
	chown "$user" "$INVCTL_STATE_DIR"
	setpriv --reuid="$user" --clear-groups test -x "$INVCTL" || skip "another user can't reach $INVCTL"
	# What logind leaves of a user who is logged in.
	run --separate-stderr unshare --mount bash -c '
		mount -t tmpfs tmpfs /run || exit 99
		mkdir -p /run/systemd/users
		echo NAME=ada >"/run/systemd/users/$1"
		cd /
		as() { setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; }
		user=$1
		as "$INVCTL" run --detach true || exit
		as "$INVCTL" status
		status=$?
		broker=$(as "$INVCTL" status --json | jq .broker.pid)
		kill "$broker"
		while kill -0 "$broker" 2>/dev/null; do command sleep 0.02; done
		exit "$status"' - "$user"
	rm -r "$INVCTL_STATE_DIR"
	[[ $status != 99 ]] || skip "no tmpfs can be mounted here"
	[[ $stderr == *"enable-linger"*"RemoveIPC=no"* ]]
	[[ $status == 1 && $output == *"enable-linger"*"RemoveIPC=no"* ]]
}

@test "a state directory that others can write to is a problem" {
	"$INVCTL" run true
	chmod 777 "$INVCTL_STATE_DIR"
	run -1 "$INVCTL" status
	assert_line --partial "chmod go-w $INVCTL_STATE_DIR'"
	chmod 700 "$INVCTL_STATE_DIR"
	run -0 "$INVCTL" status
}

@test "a nearly full table is a problem" {
	"$INVBROKER" --foreground --capacity=10 3>&- &
	STARTED_PIDS+=($!)
	retry "$INVCTL" status
	for _ in {1..10}; do
		start -- sleep 1000
	done
	run -1 "$INVCTL" status
	assert_line --partial "10 of 10 live invocations"
}

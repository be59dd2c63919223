#!/usr/bin/env bats
# invctl status: table, broker, use, and problems with their remedies.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers
load namespaces

@test "without a table it is 116, and makes none" {
	run -116 --separate-stderr "$INVCTL" status
	[[ -z $output && $stderr == "invctl: there is no table '$INVCTL_TABLE'"* ]]
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "all is well: 0" {
	start -- sleep 1000
	"$INVCTL" run true
	run -0 "$INVCTL" status
	assert_line "Table     $INVCTL_TABLE of $(id -un)"
	assert_line "Use       1 live of 16384, 1 finished"
	assert_line --regexp '^Memory +[0-9.]+ MB of .*/dev/shm$'
	assert_line --regexp "^Broker +up [0-9]+s, process $(broker_pid), version [0-9.]+$"
	assert_line --regexp '^Problems +none$'
	run -0 "$INVCTL" status --json
	echo "$output" | jq -e --arg table "$INVCTL_TABLE" '
		.table == $table and (.broker.pid | type == "number") and (.broker.version | type == "string")
		and (.broker.since | type == "string") and .capacity == 16384 and .live == 1
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
	assert_line "Use       1 live of 16384, 0 finished"
}

@test "where logind will remove the name at logout, status and run --detach name the setting" {
	((EUID == 0)) || skip "needs a user of its own"
	need_mount_namespace
	local user=$((4400000 + $$))
	INVCTL_STATE_DIR=$(mktemp -d)
	chown "$user" "$INVCTL_STATE_DIR"
	setpriv --reuid="$user" --clear-groups test -x "$INVCTL" || skip "another user can't reach $INVCTL"
	# What logind leaves of a user who is logged in.
	run --separate-stderr in_mount_namespace bash -c '
		mount -t tmpfs tmpfs /run || exit
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
	INVCTL_STATE_DIR=$BATS_TEST_TMPDIR/state # what the tear-down runs makes one
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

# one_problem PATTERN: status exits 1 and names that problem alone, in both forms.
one_problem() {
	run -1 "$INVCTL" status
	assert_line --regexp "^  .*$1"
	run -1 "$INVCTL" status --json
	jq -e --arg pattern "$1" '.problems | length == 1 and (.[0] | test($pattern))' <<<"$output" || {
		echo "$output"
		return 1
	}
}

@test "RemoveIPC=yes without lingering is a problem, and lingering or RemoveIPC=no its end" {
	need_mount_namespace
	local user=61009 place
	place=$(mktemp -d)
	chmod 0755 "$place"
	cp "$INVCTL" "$BUILD/invctl-view" "$INVBROKER" "$place"
	run in_mount_namespace bash -c "
		as() { INVCTL_STATE_DIR=$place/state setpriv --reuid=$user --regid=$user --clear-groups \"\$@\"; }
		mkdir -p /run/systemd /etc/systemd /var/lib/systemd
		for directory in /run/systemd /etc/systemd /var/lib/systemd; do
			mount -t tmpfs none \$directory || exit
		done
		mkdir /run/systemd/users /var/lib/systemd/linger
		install -d -o $user $place/state
		as $place/invbroker 3>&- || exit
		as $place/invctl status; echo \"no session: \$?\"
		echo NAME=somebody >/run/systemd/users/$user
		as $place/invctl status; echo \"session: \$?\"
		as $place/invctl status --json | jq -r .problems[]
		touch /var/lib/systemd/linger/somebody
		as $place/invctl status; echo \"lingers: \$?\"
		rm /var/lib/systemd/linger/somebody
		printf '[Login]\\nRemoveIPC=no\\n' >/etc/systemd/logind.conf
		as $place/invctl status; echo \"stays: \$?\"
		kill -KILL \$(as $place/invctl status --json | jq .broker.pid)"
	rm -rf "$place"
	assert_line "no session: 0"
	assert_line "session: 1"
	assert_line --regexp "^systemd-logind will remove the table's name when user $user.*enable-linger.*RemoveIPC=no"
	assert_line "lingers: 0"
	assert_line "stays: 0"
}

@test "a /dev/shm without room for another table is a problem" {
	need_mount_namespace
	run in_mount_namespace bash -c '
		mount -t tmpfs -o size=1m none /dev/shm || exit
		"$INVBROKER" --capacity=500 3>&- || exit
		"$INVCTL" status; echo "room: $?"
		head -c 700k /dev/zero >/dev/shm/other
		"$INVCTL" status; echo "little: $?"
		"$INVCTL" status --json | jq -r .problems[]
		kill -KILL "$("$INVCTL" status --json | jq .broker.pid)"'
	assert_line "room: 0"
	assert_line "little: 1"
	assert_line --regexp '^/dev/shm has only [0-9]+ KiB left.*--shm-size.*--capacity'
}

@test "an owner of the PID namespace in which the table was made is a problem, where nobody sees it" {
	need_pid_namespace
	start sleep 1000
	run -0 "$INVCTL" status
	end_broker
	run in_pid_namespace bash -c '
		"$INVBROKER" 3>&- || exit
		"$INVCTL" status
		echo "inside: $?"
		"$INVCTL" run -- true
		kill "$("$INVCTL" status --json | jq .broker.pid)"'
	assert_line "inside: 1"
	assert_line --regexp "^  [12] of [23] processes .* another PID namespace.*--pid=host"
	"$INVCTL" cancel --wait=20s "$ID"
	"$INVCTL" run -- true
	run -0 "$INVCTL" status
}

@test "an owner in a PID namespace of its own is no problem: its lock is seen" {
	need_pid_namespace
	"$INVBROKER" 3>&-
	in_pid_namespace "$INVCTL" run --name=inside -- sleep 1000 3>&- &
	local inside=$!
	STARTED_PIDS+=("$inside")
	inside_runs() { [[ $("$INVCTL" list --json | jq -r '.[].status') == running ]]; }
	retry inside_runs
	run -0 "$INVCTL" status
	"$INVCTL" cancel --wait=20s inside
	retry process_is_gone "$inside"
}

# The header's fields that the broker writes.
BROKER_PID_AT=136
BROKER_VERSION_AT=160

write_at() { # OFFSET: standard input into the table
	dd of="/dev/shm/$INVCTL_TABLE" bs=1 seek="$1" conv=notrunc status=none
}

@test "a broker of another version is a problem; another process that the table names is not told to be killed" {
	"$INVBROKER" 3>&-
	local broker
	broker=$(broker_pid)
	STARTED_PIDS+=("$broker")
	printf '9.9.9\0' | write_at $BROKER_VERSION_AT
	one_problem "the broker is version 9.9.9 and this is .* 'kill $broker'"
	perl -e 'print pack("Q<", $ARGV[0])' $$ | write_at $BROKER_PID_AT
	one_problem "the broker is version 9.9.9"
	refute_output --partial "'kill"
	kill -KILL "$broker"
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

# The library's inv_hold or inv_release.
call_library() { # function [argument]
	python3 - "$(dirname "$INVCTL")/libinvctl.so" "$@" <<'EOF'
import ctypes, sys
arguments = [argument.encode() for argument in sys.argv[3:]]
sys.exit(ctypes.CDLL(sys.argv[1])[sys.argv[2]](None, *arguments) != 0)
EOF
}

@test "a hold: 'run' says whose it is and why, what is nested starts, status shows it" {
	! is_sanitized || skip "python can't load the library of this build"
	start -- sh -c 'until [ -e go ]; do "$INVCTL" sleep 0.02; done; "$INVCTL" run --name=inner true'
	call_library inv_hold "coolant is changed"
	run -118 --separate-stderr "$INVCTL" run true
	[[ $stderr == "invctl: table '$INVCTL_TABLE' is on hold, so nothing new starts: coolant is changed ($(id -un), "*" ago)"* ]]
	touch go
	ended_with 0
	run -0 "$INVCTL" list --all -q
	[[ ${#lines[@]} == 2 ]] # a refused start leaves no record
	run -0 "$INVCTL" status
	assert_line --regexp "^On hold +coolant is changed, by $(id -un).*, [0-9]+s ago: nothing new starts$"
	run -0 "$INVCTL" status --json
	echo "$output" | jq -e '.hold.note == "coolant is changed" and (.hold.actor.pid | type == "number")
		and (.hold.since | startswith("20"))'
	call_library inv_release
	run -0 "$INVCTL" run true
}

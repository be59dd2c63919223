#!/usr/bin/env bats
# What is short, full, stopped or set wrong around a table: the promises of clear errors,
# nothing lost and nothing left, and those about time and about namespaces.
# BUILD is the build's folder (build). Needs root for most; what is not permitted is skipped.

load ../cli/helpers
load ../cli/namespaces

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	# shellcheck source=tests/stress/build.sh
	. tests/stress/build.sh
	stress_program fill fill.c
	stress_program sleeper sleeper.c
	stress_preload clock_shim clock_shim.c
	stress_dynamic_invctl
}

setup() {
	setup_table
	PROGRAMS=$BUILD/stress
}

# A new broker looks at every owner of the table that it finds.
restart_broker() {
	end_broker
	"$INVBROKER" --table="$INVCTL_TABLE"
}

no_broker_process() {
	local file
	for file in /proc/[0-9]*/cmdline; do
		tr '\0' ' ' 2>/dev/null <"$file" | grep -q "^[^ ]*invbroker --table=$INVCTL_TABLE " &&
			return 1
	done
	return 0
}

too_small() { # size
	need_mount_namespace
	run in_mount_namespace bash -c '
		mount -t tmpfs -o "size=$1" tmpfs /dev/shm || exit
		"$INVCTL" run -- true
		status=$?
		echo "files: $(find /dev/shm -mindepth 1 | wc -l), used: $(df --output=used /dev/shm | tail -n 1)"
		exit "$status"' - "$1"
	[ "$status" -eq 116 ]
	assert_output --partial "df -h /dev/shm"
	assert_output --partial "--capacity"
	assert_line --regexp '^files: 0, used: +0$'
	retry no_broker_process
}

@test "/dev/shm of 64 KiB: a clear error naming the remedy, and nothing is left" {
	too_small 64k
}

@test "/dev/shm of 1 MiB: a clear error naming the remedy, and nothing is left" {
	too_small 1m
}

@test "/dev/shm of 1 MiB: the remedy that the error names works" {
	need_mount_namespace
	run in_mount_namespace bash -c '
		mount -t tmpfs -o size=1m tmpfs /dev/shm || exit
		"$INVBROKER" --table="$INVCTL_TABLE" --capacity=500 || exit
		"$INVCTL" run -- sh -c "exit 7"
		status=$?
		kill "$("$INVCTL" status --json | jq .broker.pid)"
		exit "$status"'
	[ "$status" -eq 7 ]
	retry no_broker_process
}

@test "a table filled to its capacity refuses one more, and can be filled again a hundred times" {
	"$INVBROKER" --table="$INVCTL_TABLE" --capacity=50
	run timeout 120 "$PROGRAMS/fill" 100
	assert_success
	assert_output "50 100"
}

@test "a large table, filled to its capacity, can be filled again" {
	"$INVBROKER" --table="$INVCTL_TABLE" --capacity=256
	run timeout 120 "$PROGRAMS/fill" 20
	assert_success
	assert_output "256 20"
}

@test "no process to be had: run says so, exits 125, and the record tells" {
	[[ $EUID == 0 ]] || skip "needs a user of its own"
	# Nobody else's: the limit counts all that a user has.
	local user=$((4200000 + $$)) id
	id=$(new_id)
	# The folder of the tests lets nobody else through.
	INVCTL_STATE_DIR=$(mktemp -d)
	chown "$user" "$INVCTL_STATE_DIR"
	as_user() { setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; }
	as_user test -x "$INVCTL" || skip "another user can't reach $INVCTL"
	as_user "$INVBROKER" --table="$INVCTL_TABLE"
	STARTED_PIDS+=("$(as_user "$INVCTL" status --json | jq .broker.pid)")

	run as_user prlimit --nproc=1 "$INVCTL" run --id="$id" -- true
	assert_failure 125
	assert_output --partial "no process"
	run as_user "$INVCTL" show --json "$id"
	assert_success
	[ "$(jq -r .status <<<"$output")" = error ]
	run as_user "$INVCTL" wait "$id"
	assert_failure 125
	run as_user "$INVCTL" run -- true
	assert_success
	rm -r "$INVCTL_STATE_DIR"
	INVCTL_STATE_DIR=$BATS_TEST_TMPDIR/state # what the tear-down runs makes one
}

@test "no process to be had for a broker: run says so, and leaves nothing" {
	[[ $EUID == 0 ]] || skip "needs a user of its own"
	local user=$((4300000 + $$))
	as_user() { setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; }
	as_user test -x "$INVCTL" || skip "another user can't reach $INVCTL"

	run as_user prlimit --nproc=1 "$INVCTL" run -- true
	[[ $status == 116 || $status == 125 ]]
	assert_output --partial "invctl: "
	[ ! -e "/dev/shm/$INVCTL_TABLE" ]
	retry no_broker_process
}

@test "the disk is full: the action goes on, and the loss of log records is counted" {
	need_mount_namespace
	run in_mount_namespace bash -c '
		mkdir -p "$INVCTL_STATE_DIR"
		mount -t tmpfs -o size=64k tmpfs "$INVCTL_STATE_DIR" || exit
		line=$(printf "%01000d" 1)
		"$INVCTL" run --id="$1" -- sh -c "
			for i in 1 2 3 4 5 6 7 8 9 10; do
				for j in 1 2 3 4 5 6 7 8 9 10; do \"$INVCTL\" log \"$line\" 2>/dev/null; done
			done
			echo went on
			exit 3"' - "$(new_id)"
	assert_failure 3
	assert_line "went on"
	run "$INVCTL" list --all --json
	[ "$(jq '.[0].logLost > 0 and .[0].logLost < 100' <<<"$output")" = true ]
	[ "$(jq -r '.[0].exitStatus' <<<"$output")" = 3 ]
	local id lost
	id=$(jq -r '.[0].id' <<<"$output")
	lost=$(jq '.[0].logLost' <<<"$output")
	[ "$(field "$id" .logLost)" = "$lost" ]
	run "$INVCTL" status --json
	assert_failure 1
	jq -r '.problems[]' <<<"$output" | grep "^$lost log records of 1 invocations"
	run "$INVCTL" logs "$id"
	assert_success
	assert_output "invctl: $lost log records of 'sh' could not be written, and are lost; see 'df' for its state directory"
}

@test "the disk is full from the start: run and run --detach go on without what can't be kept" {
	need_mount_namespace
	run in_mount_namespace bash -c '
		mkdir -p "$INVCTL_STATE_DIR"
		mount -t tmpfs -o size=64k tmpfs "$INVCTL_STATE_DIR" || exit
		head -c 1000000 /dev/zero >"$INVCTL_STATE_DIR/full" 2>/dev/null
		"$INVCTL" run -- sh -c "\"$INVCTL\" log lost; exit 4" || echo "run: $?"
		id=$("$INVCTL" run --detach -- sh -c "echo lost; exit 5") || exit
		"$INVCTL" wait "$id" || echo "wait: $?"'
	assert_line "run: 4"
	assert_line "wait: 5"
}

# How long one is stopped: STOPPED_FOR (1s). Nothing about it is timed, so a second shows as
# much as a minute, which make check-long waits.
@test "a supervisor that is stopped is not lost, whoever looks, and goes on" {
	start -- sleep 1000
	kill -STOP "$RUN_PID"
	run "$INVCTL" wait --timeout="${STOPPED_FOR:-1s}" "$ID"
	assert_failure 119
	restart_broker
	run "$INVCTL" wait --timeout="${STOPPED_FOR:-1s}" "$ID"
	assert_failure 119
	[ "$(field "$ID" .status)" = running ]
	[ "$(field "$ID" .orphaned)" = false ]
	[ "$(field "$ID" .ownerPid)" = "$RUN_PID" ]
	"$INVCTL" cancel "$ID"
	kill -CONT "$RUN_PID"
	ended_with 122
}

@test "a program that is stopped keeps its invocation" {
	"$PROGRAMS/sleeper" 300 >said 3>&- &
	local pid=$! id
	STARTED_PIDS+=("$pid")
	retry grep -q asleep said
	kill -STOP "$pid"
	id=$("$INVCTL" list --json | jq -r '.[0].id')
	restart_broker
	run "$INVCTL" wait --timeout=1s "$id"
	assert_failure 119
	[ "$(field "$id" .status)" = running ]
	kill -CONT "$pid"
	wait "$pid"
	grep -q '^awake 0 0 ' said
	[ "$(field "$id" .status)" = completed ]
}

# Everything that follows sees a wall clock that `clock_moves SECONDS` moves.
with_own_clock() {
	export CLOCK_SHIM_FILE=$BATS_TEST_TMPDIR/clock
	echo 0 >"$CLOCK_SHIM_FILE"
	OWN_CLOCK=(env "LD_PRELOAD=$PROGRAMS/clock_shim.so")
	"${OWN_CLOCK[@]}" "$INVBROKER" --table="$INVCTL_TABLE"
	INVCTL=$PROGRAMS/invctl-dynamic
}

clock_moves() {
	echo "$1" >"$CLOCK_SHIM_FILE.new"
	mv "$CLOCK_SHIM_FILE.new" "$CLOCK_SHIM_FILE"
}

sleep_under_a_clock_that_moves() { # seconds
	local pid asleep word slept waited took_ms awake
	with_own_clock
	"${OWN_CLOCK[@]}" "$PROGRAMS/sleeper" 700 >said 3>&- &
	pid=$!
	STARTED_PIDS+=("$pid")
	retry grep -q asleep said
	clock_moves "$1"
	retry process_is_gone "$pid"
	read -r word asleep <said
	read -r word slept waited took_ms awake < <(tail -n 1 said)
	[ "$word $slept $waited" = "awake 0 0" ]
	[ "$took_ms" -ge 1400 ]
	# The clock did move.
	[ $(((awake - asleep - $1) * (awake - asleep - $1))) -lt 3600 ]
}

@test "the wall clock goes on by an hour: sleep and wait take as long" {
	sleep_under_a_clock_that_moves 3600
}

@test "the wall clock goes back by an hour: sleep and wait take as long" {
	sleep_under_a_clock_that_moves -3600
}

# start, with the supervisor under the clock that moves.
start_with_own_clock() {
	ID=$(new_id)
	"${OWN_CLOCK[@]}" "$INVCTL" run --id="$ID" "$@" 3>&- &
	RUN_PID=$!
	STARTED_PIDS+=("$RUN_PID")
	retry field_is "$ID" .status running
}

@test "the wall clock goes on by an hour: no deadline comes earlier, and no record goes" {
	with_own_clock
	local first
	first=$(new_id)
	"${OWN_CLOCK[@]}" "$INVCTL" run --id="$first" -- true
	start_with_own_clock --timeout=30m -- sleep 1000
	local early=$ID pid=$RUN_PID
	clock_moves 3600
	# The broker and the supervisor look at their clocks at every change.
	start_with_own_clock -- sleep 1000
	"$INVCTL" cancel "$ID"
	ended_with 122
	run "$INVCTL" wait --timeout=1s "$early"
	assert_failure 119
	"$INVCTL" cancel "$early"
	RUN_PID=$pid
	ended_with 122
	[ "$(field "$early" .cause)" = requested ]
	[ "$(field "$first" .status)" = completed ]
}

@test "the wall clock goes back by an hour: a deadline comes all the same" {
	with_own_clock
	start_with_own_clock --timeout=1s -- sleep 1000
	clock_moves -3600
	ended_with 124
}

@test "the wall clock goes back by an hour: the broker keeps a dead supervisor's deadline" {
	with_own_clock
	start_with_own_clock --timeout=2s --kill-after=1s -- sleep 1000
	kill -KILL "$RUN_PID"
	clock_moves -3600
	retry field_is "$ID" .status cancelled
	[ "$(field "$ID" .cause)" = deadline ]
}

@test "the wall clock moves an hour each way: kill-after and signal-after come in their time" {
	with_own_clock
	local seconds
	for seconds in 3600 -3600; do
		clock_moves 0
		start_with_own_clock --kill-after=700ms -- \
			sh -c 'trap "" TERM; touch ready; while :; do sleep 0.02; done'
		retry test -e ready
		"$INVCTL" cancel "$ID"
		clock_moves "$seconds"
		ended_with 137
		rm ready
	done
	clock_moves 0
	start_with_own_clock --signal-after=700ms --kill-after=30m -- \
		sh -c "'$INVCTL' check --peek; trap '' TERM; trap 'exit 3' USR1; touch ready
			while :; do sleep 0.02; done"
	retry test -e ready
	"$INVCTL" cancel "$ID"
	clock_moves 3600
	# Signalled in its time, and not killed half an hour early.
	retry field_is "$ID" .cancel.state signalled
	[ "$(field "$ID" .status)" = running ]
	"$INVCTL" cancel --signal=USR1 "$ID"
	ended_with 122
}

@test "the wall clock goes back by an hour: what has ended is retired all the same" {
	export CLOCK_SHIM_FILE=$BATS_TEST_TMPDIR/clock
	echo 0 >"$CLOCK_SHIM_FILE"
	env "LD_PRELOAD=$PROGRAMS/clock_shim.so" "$INVBROKER" --table="$INVCTL_TABLE" --retain=1s
	"$INVCTL" run -- true
	clock_moves -3600
	retry nothing_is_kept
}

nothing_is_kept() {
	[ "$("$INVCTL" list --all --noheadings | wc -l)" = 0 ]
}

@test "an owner in another PID namespace is not taken for dead from outside" {
	need_pid_namespace
	local id
	id=$(new_id)
	"$INVBROKER" --table="$INVCTL_TABLE"
	in_pid_namespace "$INVCTL" run --id="$id" -- sleep 1000 3>&- &
	local outer=$!
	STARTED_PIDS+=("$outer")
	retry field_is "$id" .status running
	restart_broker
	run "$INVCTL" wait --timeout=1s "$id"
	assert_failure 119
	[ "$(field "$id" .status)" = running ]
	[ "$(field "$id" .orphaned)" = false ]
	"$INVCTL" cancel "$id"
	retry field_is "$id" .status cancelled
	local status=0
	wait "$outer" || status=$?
	[ "$status" -eq 122 ]
}

@test "an owner outside is not taken for dead in another PID namespace" {
	need_pid_namespace
	start -- sleep 1000
	# It looks, waits, fills what is free, and so sweeps, in a table whose owner it can't see.
	run in_pid_namespace bash -c '
		INVCTL_AUTOSTART=0 "$INVCTL" wait --timeout=1s "$1"
		echo "wait: $?"
		"$INVCTL" run -- true
		echo "run: $?"
		INVCTL_AUTOSTART=0 "$INVCTL" show --json "$1" | jq -r .status' - "$ID"
	assert_line "wait: 119"
	assert_line "run: 0"
	assert_line running
	[ "$(field "$ID" .status)" = running ]
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "a broker in another PID namespace adopts the table and takes nobody outside for dead" {
	need_pid_namespace
	start -- sleep 1000
	end_broker
	run in_pid_namespace bash -c '
		"$INVBROKER" --table="$INVCTL_TABLE" || exit
		"$INVCTL" run -- true
		echo "run: $?"
		"$INVCTL" wait --timeout=1s "$1"
		echo "wait: $?"' - "$ID"
	assert_line "run: 0"
	assert_line "wait: 119"
	[ "$(field "$ID" .status)" = running ]
	[ "$(field "$ID" .orphaned)" = false ]
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "a process that got the pid of a dead action is not signalled, nor taken for it" {
	need_pid_namespace
	export -f retry field field_is
	run in_pid_namespace bash -c '
		"$INVCTL" run --id="$1" -- sleep 1000 &
		supervisor=$!
		retry field_is "$1" .status running || exit 97
		action=$("$INVCTL" show --json "$1" | jq .pid)
		broker=$("$INVCTL" status --json | jq .broker.pid)
		# Nobody looks until another has its pid.
		kill -STOP "$broker"
		kill -KILL "$supervisor" "$action"
		wait "$supervisor"
		# The shell is the first of its namespace: it reaps the orphan as it waits for a child.
		retry test ! -e "/proc/$action" || exit 96
		echo "$((action - 1))" 2>/dev/null >/proc/sys/kernel/ns_last_pid || exit 99
		sleep 1000 &
		newcomer=$!
		[[ $newcomer == "$action" ]] || exit 98
		kill -CONT "$broker"
		"$INVCTL" cancel --kill --wait=20s "$1"
		"$INVCTL" wait --timeout=20s "$1"
		echo "wait: $?"
		[[ ! -e /proc/$newcomer/exe ]] || echo "the newcomer lives"' - "$(new_id)"
	[[ $status != 99 ]] || skip "pids can't be chosen here"
	[[ $output == *"wait: 125"* || $output == *"wait: 122"* ]]
	assert_line "the newcomer lives"
}

# A run in a PID namespace of its own, whose first process it is: $ID, $OUTER outside, and
# $INNER, the supervisor's pid as it is seen here.
start_elsewhere() {
	ID=$(new_id)
	in_pid_namespace "$INVCTL" run --id="$ID" -- sleep 1000 3>&- &
	OUTER=$!
	STARTED_PIDS+=("$OUTER")
	retry field_is "$ID" .status running
	INNER=$(descendant "$OUTER" unshare invctl)
	STARTED_PIDS+=("$INNER")
}

# descendant PID NAME...: its child of that name, that one's child of the next name, and so on.
descendant() {
	local pid=$1 name
	shift
	for name; do
		pid=$(pgrep -P "$pid" -x "$name") || return
	done
	echo "$pid"
}

vanish() {
	kill -KILL "$INNER"
	retry process_is_gone "$INNER"
}

owners_are() { # count
	[[ $("$INVCTL" status --json | jq .owners) == "$1" ]]
}

@test "an owner in another PID namespace is lost when that vanishes, and its waiters wake" {
	need_pid_namespace
	"$INVBROKER" --table="$INVCTL_TABLE"
	start_elsewhere
	"$INVCTL" wait "$ID" 3>&- &
	local waiter=$! status=0
	vanish
	wait "$waiter" || status=$?
	[ "$status" -eq 125 ]
	[ "$(field "$ID" .cause)" = lost ]
	[ -z "$("$INVCTL" list --noheadings)" ]
	retry owners_are 1
}

@test "an owner in another PID namespace is lost when that vanishes, without a broker too" {
	need_pid_namespace
	"$INVBROKER" --table="$INVCTL_TABLE"
	start_elsewhere
	end_broker
	export INVCTL_AUTOSTART=0
	"$INVCTL" wait "$ID" 3>&- &
	local waiter=$! status=0
	vanish
	wait "$waiter" || status=$?
	[ "$status" -eq 125 ]
	[ -z "$("$INVCTL" list --noheadings)" ]
}

@test "an owner in another PID namespace that is stopped is not lost, whoever looks" {
	need_pid_namespace
	"$INVBROKER" --table="$INVCTL_TABLE"
	start_elsewhere
	kill -STOP "$INNER"
	run "$INVCTL" wait --timeout=1s "$ID"
	assert_failure 119
	restart_broker
	run "$INVCTL" wait --timeout=1s "$ID"
	assert_failure 119
	end_broker
	INVCTL_AUTOSTART=0 run "$INVCTL" wait --timeout=1s "$ID"
	assert_failure 119
	[ "$(field "$ID" .status)" = running ]
	vanish
}

# A run in another PID namespace whose supervisor is killed there: $ID, and its $ACTION.
orphan_elsewhere() {
	local outer supervisor
	"$INVBROKER" --table="$INVCTL_TABLE"
	ID=$(new_id)
	in_pid_namespace bash -c '"$INVCTL" run --id="$1" -- sleep 1000; sleep 1000' - "$ID" 3>&- &
	outer=$!
	STARTED_PIDS+=("$outer")
	retry field_is "$ID" .status running
	STARTED_PIDS+=("$(descendant "$outer" unshare bash)")
	supervisor=$(descendant "$outer" unshare bash invctl)
	ACTION=$(descendant "$supervisor" sleep)
	kill -KILL "$supervisor"
	retry process_is_gone "$supervisor"
}

@test "a supervisor killed in another PID namespace: its action's invocation lives while that does" {
	need_pid_namespace
	orphan_elsewhere
	run "$INVCTL" wait --timeout=1s "$ID"
	assert_failure 119
	[ "$(field "$ID" .status)" = running ]
}

@test "a supervisor killed in another PID namespace: its action's invocation ends with that" {
	need_pid_namespace
	orphan_elsewhere
	kill -KILL "$ACTION"
	run "$INVCTL" wait --timeout=20s "$ID"
	assert_failure 125
}

@test "a broker in another PID namespace that made the table sees an owner outside die" {
	need_pid_namespace
	in_pid_namespace "$INVBROKER" --foreground --table="$INVCTL_TABLE" 3>&- &
	local outer=$! pid
	STARTED_PIDS+=("$outer")
	retry test -e "/dev/shm/$INVCTL_TABLE"
	export INVCTL_AUTOSTART=0
	start -- sleep 1000
	pid=$("$INVCTL" show --json "$ID" | jq .pid)
	STARTED_PIDS+=("$pid")
	kill -KILL "$RUN_PID" "$pid"
	run "$INVCTL" wait --timeout=20s "$ID"
	assert_failure 125
	kill -KILL "$(descendant "$outer" unshare invbroker)"
}

@test "a broker in another PID namespace that can't see the owners: whoever looks here looks after them" {
	need_pid_namespace
	start -- sleep 1000
	end_broker
	in_pid_namespace "$INVBROKER" --foreground --table="$INVCTL_TABLE" 3>&- &
	local outer=$! pid
	STARTED_PIDS+=("$outer")
	served() {
		[[ $("$INVCTL" status --json | jq .broker.pid) == 1 ]]
	}
	retry served
	export INVCTL_AUTOSTART=0
	pid=$("$INVCTL" show --json "$ID" | jq .pid)
	kill -KILL "$RUN_PID" "$pid"
	run "$INVCTL" wait --timeout=20s "$ID"
	assert_failure 125
	kill -KILL "$(descendant "$outer" unshare invbroker)"
}

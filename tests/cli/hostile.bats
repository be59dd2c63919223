#!/usr/bin/env bats
# A shared table can be written by every member of its group. Whatever stands in it, no
# signal goes to a process that is not of the invocation.

load helpers

setup_file() {
	export FORGE=$BATS_FILE_TMPDIR/forge
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -DINV_VERSION='"test"' -DINV_LIBEXECDIR='"/nowhere"' \
		-DINV_BINDIR='"/nowhere"' -I"$ROOT/include" -I"$ROOT/lib" -o "$FORGE" \
		"$ROOT/tests/fuzz/forge.c" "$ROOT"/lib/*/*.c -luuid -lrt -lpthread
}

setup() {
	setup_table
	"$INVBROKER" --table="$INVCTL_TABLE" --group="$(id -gn)" 3>&-
	retry serves
}

teardown() {
	teardown_table
	INVCTL_TABLE=$INVCTL_TABLE-private teardown_table
}

serves() {
	[[ -n $(broker_pid) ]]
}

# bystander: a process of the same user that no invocation has anything to do with; its
# pid is in $BYSTANDER.
bystander() {
	command sleep 1000 3>&- &
	BYSTANDER=$!
	STARTED_PIDS+=("$BYSTANDER")
}

assert_alive() {
	! process_is_gone "$1" || {
		echo "process $1 was killed" >&2
		return 1
	}
}

broker_owns() {
	field_is "$1" .ownerPid null
}

@test "run --kill: a forged nested row's supervisor and command are not killed" {
	# What is nested with --no-kill outlives the kill, so that run looks for more than itself.
	start sh -c '"$INVCTL" run --no-kill --signal=none --id-file=nested sleep 1000 & wait'
	retry test -s nested
	retry field_is "$(cat nested)" .status running
	bystander
	local as_supervisor=$BYSTANDER
	bystander
	local as_command=$BYSTANDER
	"$FORGE" "$INVCTL_TABLE" "$ID" "$(new_id)" "$as_supervisor" "$as_command"
	"$INVCTL" cancel --kill "$ID" || true
	ended_with 137
	assert_alive "$as_supervisor"
	assert_alive "$as_command"
}

@test "the broker, after a supervisor's death: a forged nested row's command is not killed" {
	start sleep 1000
	local command
	command=$(field "$ID" .pid)
	kill -KILL "$RUN_PID"
	retry broker_owns "$ID"
	bystander
	"$FORGE" "$INVCTL_TABLE" "$ID" "$(new_id)" "$BYSTANDER" "$BYSTANDER"
	"$INVCTL" cancel --kill "$ID" || true
	retry field_is "$ID" .status cancelled
	retry process_is_gone "$command"
	assert_alive "$BYSTANDER"
}

@test "an honest nested run is still killed with what it is nested in" {
	start sh -c '"$INVCTL" run --id-file=nested sleep 1000 & wait'
	retry test -s nested
	local nested
	nested=$(cat nested)
	retry field_is "$nested" .status running
	local command
	command=$(field "$nested" .pid)
	# Its supervisor can't do it itself.
	local supervisor
	supervisor=$(ps -o ppid= -p "$command" | tr -d ' ')
	kill -STOP "$supervisor"
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	retry process_is_gone "$command"
	retry process_is_gone "$supervisor"
}

# A command of the same user, of an invocation of another, private table; its id in $PRIVATE_ID,
# its pid in $PRIVATE_COMMAND, its supervisor's in $PRIVATE_RUN.
private_action() {
	PRIVATE_ID=$(new_id)
	PRIVATE_TABLE=$INVCTL_TABLE-private
	"$INVCTL" --table="$PRIVATE_TABLE" run --id="$PRIVATE_ID" sleep 1000 3>&- &
	PRIVATE_RUN=$!
	STARTED_PIDS+=("$PRIVATE_RUN")
	private_runs() {
		[[ $("$INVCTL" --table="$PRIVATE_TABLE" show --json "$PRIVATE_ID" | jq -r .status) == running ]]
	}
	retry private_runs
	PRIVATE_COMMAND=$("$INVCTL" --table="$PRIVATE_TABLE" show --json "$PRIVATE_ID" | jq .pid)
}

@test "the broker: a forged orphan with the id of another table's action is not signalled" {
	private_action
	"$FORGE" "$INVCTL_TABLE" - "$PRIVATE_ID" "$PRIVATE_RUN" "$PRIVATE_COMMAND"
	retry broker_owns "$PRIVATE_ID"
	run -119 "$INVCTL" cancel --kill --wait=300ms "$PRIVATE_ID"
	assert_alive "$PRIVATE_COMMAND"
}

@test "the broker: a forged orphan that claims a stranger's pid signals nobody" {
	bystander
	local id
	id=$(new_id)
	"$FORGE" "$INVCTL_TABLE" - "$id" "$BYSTANDER" "$BYSTANDER"
	retry broker_owns "$id"
	run -119 "$INVCTL" cancel --kill --wait=300ms "$id"
	assert_alive "$BYSTANDER"
	kill -KILL "$BYSTANDER"
	retry field_is "$id" .status cancelled
}

is_forgotten() {
	run "$INVCTL" show "$1"
	[[ $status == 113 ]]
}

@test "the broker: a forged row with the id of a finished run does not kill what that has left" {
	end_broker
	"$INVBROKER" --table="$INVCTL_TABLE" --group="$(id -gn)" --retain=50ms 3>&-
	retry serves
	local claimed left
	for claimed in stranger left; do
		start -- sh -c 'setsid sleep 1000 & echo $! >left; while [ ! -e go ]; do sleep 0.02; done'
		touch go
		ended_with 0
		rm go
		left=$(cat left)
		STARTED_PIDS+=("$left")
		retry is_forgotten "$ID"
		bystander
		[[ $claimed == stranger ]] || BYSTANDER=$left
		"$FORGE" "$INVCTL_TABLE" - "$ID" "$BYSTANDER" "$BYSTANDER"
		retry broker_owns "$ID"
		run -119 "$INVCTL" cancel --kill --wait=300ms "$ID"
		assert_alive "$left"
		assert_alive "$BYSTANDER"
	done
}

@test "what run was told not to have done is not done, whatever the table says by then" {
	start --no-kill --signal=none -- sleep 1000
	local command
	command=$(field "$ID" .pid)
	"$FORGE" "$INVCTL_TABLE" unprotect "$ID"
	run -119 "$INVCTL" cancel --kill --wait=300ms "$ID"
	assert_alive "$command"
	kill -KILL "$command"
	ended_with 122
}

# exits PID STATUS: in the background of this shell.
exits() {
	local status=0
	retry process_is_gone "$1" || return
	wait "$1" || status=$?
	assert_equal "$status" "$2"
}

@test "a table that is cut short under those who use it: 116, and no end that was not seen" {
	end_broker
	rm "/dev/shm/$INVCTL_TABLE"
	"$INVBROKER" --foreground 2>broker.log 3>&- &
	local broker=$!
	STARTED_PIDS+=("$broker")
	retry serves
	start -- sh -c '
		touch looks
		"$INVCTL" sleep 1000; echo "sleep $?" >>statuses
		"$INVCTL" sleep --peek 1000; echo "peek $?" >>statuses
		"$INVCTL" check; echo "check $?" >>statuses
		"$INVCTL" log lost; echo "log $?" >>statuses
		"$INVCTL" why; echo "why $?" >>statuses
		"$INVCTL" run true; echo "run $?" >>statuses
		exit 5'
	local looks=$ID looks_run=$RUN_PID
	start -- sh -c 'trap "" TERM; until [ -e go ]; do sleep 0.02; done; exit 6'
	local goes_on=$ID
	retry field_is "$looks" .cooperative true
	"$INVCTL" wait "$goes_on" 2>wait.log 3>&- &
	local wait=$!
	"$INVCTL" wait --any "$goes_on" "$looks" 2>any.log 3>&- &
	local any=$!
	"$INVCTL" cancel --wait "$goes_on" 2>cancel.log 3>&- &
	local cancel=$!
	retry field_is "$goes_on" .cancel.state signalled
	truncate -s 4096 "/dev/shm/$INVCTL_TABLE"
	exits "$wait" 116
	exits "$any" 116
	exits "$cancel" 116
	exits "$broker" 116
	exits "$looks_run" 5
	touch go
	ended_with 6
	local told="/dev/shm/$INVCTL_TABLE (4096 bytes) is damaged"
	grep -qF "$told" wait.log && grep -qF "$told" any.log && grep -qF "$told" cancel.log
	run cat statuses
	assert_output "sleep 116
peek 116
check 116
log 116
why 116
run 116"
	local command
	for command in list "list --json" status "show $looks" "wait $looks" "cancel --all" "run true"; do
		# shellcheck disable=SC2086  # several words on purpose
		run -116 "$INVCTL" $command
		assert_output --partial "$told"
	done
	run -116 "$INVBROKER"
	assert_output --partial "$told"
}

# Once it has the table, it sleeps only for the end.
sleeps_on_table() {
	grep -qF "$INVCTL_TABLE" "/proc/$1/maps" && grep -q '^State:[[:space:]]*S' "/proc/$1/status"
}

@test "a table of holes and zeros: no end that was not seen, and nobody is killed by it" {
	start -- sleep 1000
	local command
	command=$(field "$ID" .pid)
	"$INVCTL" wait "$ID" 2>wait.log 3>&- &
	local wait=$!
	retry sleeps_on_table "$wait"
	fallocate --punch-hole --offset 4096 --length "$(($(stat -c %s "/dev/shm/$INVCTL_TABLE") - 4096))" \
		"/dev/shm/$INVCTL_TABLE"
	exits "$wait" 125
	grep -q "how it ended is not known" wait.log
	run -113 "$INVCTL" cancel "$ID"
	assert_alive "$command"
	kill -TERM "$RUN_PID"
	retry process_is_gone "$command"
	retry process_is_gone "$RUN_PID"
}

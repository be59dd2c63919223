#!/usr/bin/env bats
# The supervisor killed while the process of its command is on its way (cmd/invctl/launch.h):
# either the table knows the action, or the command is never executed. strace(1) holds the
# process at a system call for longer than the kill takes.
# BUILD is the build's folder (build).

load ../cli/helpers

HELD_US=3000000

setup() {
	setup_table
	"$INVCTL" run -- true # a broker, outside strace
}

# run under strace, where one process is held at a system call that it makes for the nth time:
# the supervisor RUN_PID, or its new process NEW_PID.
launch_held_at() { # supervisor|command system-call enter|exit nth beginning-of-/proc/PID/syscall
	ID=$(new_id)
	strace -f -qq -o /dev/null -e trace="$2" -e inject="$2:delay_$3=$HELD_US:when=$4" \
		"$INVCTL" run --id="$ID" -- sh -c 'touch executed; exec sleep 1000' 3>&- &
	STARTED_PIDS+=("$!")
	retry is_held "$1" "$5"
	STARTED_PIDS+=("$RUN_PID" "$NEW_PID")
}

is_held() { # supervisor|command beginning
	local pid
	RUN_PID=$(field "$ID" .ownerPid 2>/dev/null) && [ -n "$RUN_PID" ] || return
	NEW_PID=$(ps -o pid= --ppid "$RUN_PID" | tr -d ' ')
	[ -n "$NEW_PID" ] || return
	pid=$RUN_PID
	[ "$1" = supervisor ] || pid=$NEW_PID
	grep -q "^State:.*tracing" "/proc/$pid/status" && [[ $(cat "/proc/$pid/syscall") == "$2"* ]]
}

kill_supervisor() {
	kill -KILL "$RUN_PID"
	retry process_is_gone "$RUN_PID"
}

never_executed() {
	retry process_is_gone "$NEW_PID"
	[ ! -e executed ]
	run "$INVCTL" wait --timeout=30s "$ID"
	assert_failure 125
	[ "$(field "$ID" .cause)" = lost ]
}

@test "killed before the pid is recorded: the new process exits by itself" {
	launch_held_at supervisor setpgid enter 1 "109 "
	[ "$(field "$ID" .status)" = pending ]
	kill_supervisor
	never_executed
}

@test "killed when the pid is just recorded: the same" {
	launch_held_at supervisor sendto enter 1 "44 "
	[ "$(field "$ID" .status)" = running ]
	[ "$(field "$ID" .pid)" = "$NEW_PID" ]
	kill_supervisor
	never_executed
}

@test "killed when the word to go on is sent: the action is known" {
	launch_held_at supervisor sendto exit 1 "44 "
	kill_supervisor
	retry test -e executed
	[ "$(field "$ID" .pid)" = "$NEW_PID" ]
	"$INVCTL" cancel --wait=30s "$ID"
	retry process_is_gone "$NEW_PID"
}

@test "killed before the exec: the action is known, and can be cancelled" {
	launch_held_at command rt_sigaction enter 1 "13 "
	kill_supervisor
	retry test -e executed
	[ "$(field "$ID" .pid)" = "$NEW_PID" ]
	"$INVCTL" cancel --wait=30s "$ID"
	retry process_is_gone "$NEW_PID"
}

@test "while the exec hangs requests are carried out: it is signalled, and the command never executed" {
	launch_held_at command rt_sigaction enter 1 "13 "
	"$INVCTL" cancel "$ID"
	retry field_is "$ID" .cancel.state signalled
	[[ $(cat "/proc/$NEW_PID/syscall") == "13 "* ]]
	run "$INVCTL" wait --timeout=30s "$ID"
	assert_failure 122
	[ ! -e executed ]
}

# Its end is the command's, which was never executed.
kill_new_process() {
	kill -KILL "$NEW_PID"
	run "$INVCTL" wait --timeout=30s "$ID"
	assert_failure 137
	[ "$(field "$ID" .signal)" = 9 ]
	[ ! -e executed ]
}

@test "the new process killed before the word to go on: a command that was killed" {
	launch_held_at supervisor sendto enter 1 "44 "
	kill_new_process
}

@test "the new process killed before its exec: the same" {
	launch_held_at command rt_sigaction enter 1 "13 "
	kill_new_process
}

# The same of a detached one: STARTER_PID prints to the file id and says to the file said; its
# exit status is written to the file exited.
detached_held_at() { # supervisor|command system-call enter|exit nth beginning-of-/proc/PID/syscall
	ID=$(new_id)
	{
		status=0
		strace -f -qq -o /dev/null -e trace="$2" -e inject="$2:delay_$3=$HELD_US:when=$4" \
			"$INVCTL" run --detach --id="$ID" -- sleep 1000 >id 2>said || status=$?
		echo "$status" >exited
	} 3>&- &
	STARTED_PIDS+=("$!")
	retry is_held "$1" "$5"
	STARTER_PID=$(ps -o ppid= -p "$RUN_PID" | tr -d ' ')
	STARTED_PIDS+=("$RUN_PID" "$NEW_PID")
}

@test "--detach prints no id before the command is executed" {
	local printed
	detached_held_at command execve enter 1 "59 "
	printed=$(cat id)
	is_held command "59 "
	[ -z "$printed" ]
	retry test -s id
	[ "$(cat id)" = "$ID" ]
	[ "$(cat "/proc/$NEW_PID/comm")" = sleep ]
	"$INVCTL" cancel --wait=30s "$ID"
}

@test "--detach: the supervisor killed before the word to go on: 125, no id, and nothing runs" {
	detached_held_at supervisor sendto enter 1 "44 "
	kill_supervisor
	retry test -s exited
	[ "$(cat exited)" = 125 ]
	[ ! -s id ]
	grep -q "^invctl: the supervisor died before 'sleep' was executed" said
	retry process_is_gone "$NEW_PID"
	run "$INVCTL" wait --timeout=30s "$ID"
	assert_failure 125
}

@test "--detach: the starter killed before the exec: the action goes on, with nothing of the starter's" {
	detached_held_at command rt_sigaction enter 1 "13 "
	kill -KILL "$STARTER_PID"
	retry executed_as sleep
	[ ! -s id ]
	[ "$(field "$ID" .status)" = running ]
	"$INVCTL" cancel --wait=30s "$ID"
}

executed_as() {
	[ "$(cat "/proc/$NEW_PID/comm")" = "$1" ]
}

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

# run, whose new process is held at a system call: NEW_PID, under RUN_PID.
launch_held_at() { # system-call enter|exit nth beginning-of-/proc/PID/syscall
	ID=$(new_id)
	strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:delay_$2=$HELD_US:when=$3" \
		"$INVCTL" run --id="$ID" -- sh -c 'touch executed; exec sleep 1000' 3>&- &
	STARTED_PIDS+=("$!")
	retry new_process_is_held "$4"
	STARTED_PIDS+=("$RUN_PID" "$NEW_PID")
}

new_process_is_held() { # beginning
	RUN_PID=$(field "$ID" .ownerPid 2>/dev/null) && [ -n "$RUN_PID" ] || return
	NEW_PID=$(ps -o pid= --ppid "$RUN_PID" | tr -d ' ')
	[ -n "$NEW_PID" ] && grep -q "^State:.*tracing" "/proc/$NEW_PID/status" &&
		[[ $(cat "/proc/$NEW_PID/syscall") == "$1"* ]]
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

@test "killed before its new process asks to die with it: that one ends by itself" {
	launch_held_at setpgid enter 1 "109 "
	kill_supervisor
	never_executed
}

@test "killed before the pid is recorded: the kernel takes the new process along" {
	launch_held_at getppid exit 1 "110 "
	[ "$(field "$ID" .status)" = pending ]
	kill_supervisor
	never_executed
}

@test "killed when the pid is just recorded: the same" {
	launch_held_at prctl enter 2 "157 0x1 0x0"
	[ "$(field "$ID" .pid)" = "$NEW_PID" ]
	kill_supervisor
	never_executed
}

@test "killed before the exec: the action is known, and can be cancelled" {
	launch_held_at rt_sigaction enter 1 "13 "
	kill_supervisor
	retry test -e executed
	[ "$(field "$ID" .pid)" = "$NEW_PID" ]
	"$INVCTL" cancel --wait=30s "$ID"
	retry process_is_gone "$NEW_PID"
}

@test "a request is minded while the exec hangs: it is signalled, and the command never executed" {
	launch_held_at rt_sigaction enter 1 "13 "
	"$INVCTL" cancel "$ID"
	retry field_is "$ID" .cancel.state signalled
	[[ $(cat "/proc/$NEW_PID/syscall") == "13 "* ]]
	run "$INVCTL" wait --timeout=30s "$ID"
	assert_failure 122
	[ ! -e executed ]
}

@test "the new process killed before its exec: a command that was killed" {
	launch_held_at prctl enter 2 "157 0x1 0x0"
	kill -KILL "$NEW_PID"
	run "$INVCTL" wait --timeout=30s "$ID"
	assert_failure 137
	[ "$(field "$ID" .signal)" = 9 ]
	[ ! -e executed ]
}

#!/usr/bin/env bats
# invctl pause and resume: an action stops inside its next check or sleep.

load helpers

state_is() { # ID STATE
	field_is "$1" .state "$2"
}

# The command of an invocation, or what it started.
process_state() { # pid
	sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

process_state_is() { # pid state
	[[ $(process_state "$1") == "$2" ]]
}

# In vfork(2) it waits for a child that is stopped.
is_stopped() { # pid
	[[ $(process_state "$1") == [TD] ]]
}

command_pid() {
	field "$ID" .pid
}

is_counting() { # more than $1 lines in the file ticks
	(($(wc -l <ticks) > $1))
}

# An action that never checks, and writes ticks while it runs.
start_ticking() { # [OPTION...]
	start "$@" -- sh -c 'while :; do echo >>ticks; sleep 0.02; done'
	retry is_counting 2
}

@test "a sleep stops until it is resumed; list, show and the log say so" {
	start -n scan -- sh -c '"$INVCTL" sleep 100ms; "$INVCTL" sleep inf || echo $? >>out'
	retry field_is "$ID" .cooperative true
	run -0 "$INVCTL" pause scan
	assert_output ""
	[[ $(field "$ID" '"\(.paused) \(.state) \(.status)"') == "true paused running" ]]
	run -0 "$INVCTL" list -n -o state --status=paused
	assert_output paused
	run -0 field "$ID" '.log[0].message'
	assert_output --regexp '^paused by invctl, pid [0-9]+ of user [0-9]+'
	run -0 "$INVCTL" pause scan
	run -0 "$INVCTL" resume scan
	assert_output ""
	state_is "$ID" running
	run -0 "$INVCTL" resume scan
	[[ ! -e out ]]
	"$INVCTL" cancel "$ID"
	ended_with 0
	[[ $(cat out) == 122 ]]
}

@test "a check stops; --peek does not" {
	start -- sh -c '"$INVCTL" check; until [ -e let ]; do sleep 0.02; done; "$INVCTL" check --peek
		"$INVCTL" sleep --peek 1ms; : >peeked; "$INVCTL" check; : >checked'
	retry field_is "$ID" .cooperative true
	"$INVCTL" pause "$ID"
	: >let
	retry test -e peeked
	[[ ! -e checked ]]
	"$INVCTL" resume "$ID"
	ended_with 0
	[[ -e checked ]]
}

@test "the time that a sleep has left does not run down" {
	start -- sh -c '"$INVCTL" check; "$INVCTL" sleep 700ms; : >slept; date +%s%N >ended'
	retry field_is "$ID" .cooperative true
	"$INVCTL" pause "$ID"
	local paused resumed
	paused=$(date +%s%N)
	longer_than_the_sleep() {
		(($(date +%s%N) - paused > 1000000000))
	}
	retry longer_than_the_sleep
	[[ ! -e slept ]]
	resumed=$(date +%s%N)
	"$INVCTL" resume "$ID"
	ended_with 0
	# It had slept for a moment at most, before the pause.
	(($(cat ended) >= resumed))
}

@test "what is nested stops too; what has never checked goes on, and is named" {
	start -n outer -- sh -c '"$INVCTL" run -n checks -- sh -c "\"\$INVCTL\" sleep inf" &
		"$INVCTL" run -n ticks -- sh -c "while :; do echo >>ticks; sleep 0.02; done" &
		"$INVCTL" sleep inf; wait'
	id_of() {
		"$INVCTL" list -n -o uuid --name="$1"
	}
	cooperates() {
		[[ -n $(id_of "$1") ]] && field_is "$(id_of "$1")" .cooperative true
	}
	retry cooperates outer
	retry cooperates checks
	retry is_counting 2
	run -0 --separate-stderr "$INVCTL" pause outer
	# shellcheck disable=SC2154  # set by run
	[[ $stderr == *"$(id_of ticks) (ticks) has never checked, and goes on"*"--stop-processes ${ID:0:8}"* ]]
	[[ $(wc -l <<<"$stderr") == 1 ]]
	state_is "$ID" paused
	state_is "$(id_of checks)" paused
	state_is "$(id_of ticks)" running
	retry is_counting "$(wc -l <ticks)"
	run -0 "$INVCTL" pause --stop-processes outer
	assert_output ""
	retry state_is "$(id_of ticks)" paused
	run -0 "$INVCTL" resume "$(id_of checks)"
	state_is "$(id_of checks)" running
	state_is "$ID" paused
	run -0 "$INVCTL" resume outer
	retry state_is "$(id_of ticks)" running
	"$INVCTL" cancel outer
	ended_with 122
}

@test "what starts in a paused one is paused, and is resumed with it" {
	start -n outer -- sh -c '"$INVCTL" check; until [ -e let ]; do sleep 0.02; done
		exec "$INVCTL" run -n inner -- sh -c "\"\$INVCTL\" check; : >checked"'
	retry field_is "$ID" .cooperative true
	"$INVCTL" pause outer
	: >let
	is_paused_inside() {
		[[ $("$INVCTL" list -n -o name,state --name=inner) == *paused ]]
	}
	retry is_paused_inside
	[[ ! -e checked ]]
	"$INVCTL" resume outer
	ended_with 0
	[[ -e checked ]]
}

@test "a request ends the pause, and what is to stop can't be paused" {
	start -- sh -c '"$INVCTL" sleep inf; echo $? >>out; "$INVCTL" check; echo $? >>out; until [ -e let ]
		do sleep 0.02; done; "$INVCTL" sleep inf'
	retry field_is "$ID" .cooperative true
	"$INVCTL" pause "$ID"
	"$INVCTL" cancel -r leak "$ID"
	two_lines() {
		[[ $(paste -sd' ' out) == "122 0" ]]
	}
	retry two_lines
	[[ $(field "$ID" .paused) == false ]]
	"$INVCTL" cancel "$ID"
	run -118 "$INVCTL" pause "$ID"
	assert_output --partial "was requested to stop, so it can't be paused"
	: >let
	ended_with 122
}

@test "inside a shield nothing stops; the next check after it does" {
	start -- sh -c '"$INVCTL" check; "$INVCTL" shield sh -c "until [ -e let ]; do sleep 0.02; done
		\"\$INVCTL\" check; \"\$INVCTL\" sleep 1ms; : >inside"; "$INVCTL" check; : >after'
	retry field_is "$ID" .shielded true
	"$INVCTL" pause "$ID"
	: >let
	retry test -e inside
	[[ ! -e after ]]
	"$INVCTL" resume "$ID"
	ended_with 0
	[[ -e after ]]
}

@test "inside a shield no process is stopped" {
	start -- sh -c '"$INVCTL" shield "$INVCTL" run -n inner -- sh -c "while [ ! -e let ]; do echo >>ticks
		sleep 0.02; done"'
	retry is_counting 2
	run -0 "$INVCTL" pause --stop-processes inner
	assert_output --partial "is shielded: its processes are stopped when the shield ends"
	retry is_counting "$(wc -l <ticks)"
	: >let
	ended_with 0
}

@test "a deadline runs on, and ends the pause" {
	start -t 3s -- sh -c '"$INVCTL" sleep inf || exit'
	retry field_is "$ID" .cooperative true
	"$INVCTL" pause "$ID"
	ended_with 124
}

@test "what has never checked is refused, or its processes are stopped" {
	start_ticking
	run -118 "$INVCTL" pause "$ID"
	assert_output --partial "has never checked, so it would not notice a pause; 'invctl pause --stop-processes"
	[[ $(field "$ID" .paused) == false ]]
	run -0 "$INVCTL" pause --stop-processes "$ID"
	assert_output ""
	is_stopped "$(command_pid)"
	[[ $(field "$ID" '"\(.paused) \(.state)"') == "true paused" ]]
	[[ $(process_state "$RUN_PID") == S ]]
	"$INVCTL" resume "$ID"
	retry is_counting "$(wc -l <ticks)"
	state_is "$ID" running
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "a request lets stopped processes go on first; then it is delivered" {
	start -- sh -c 'trap "echo caught >>out; exit" TERM; : >ready; while :; do sleep 0.02; done'
	retry test -e ready
	"$INVCTL" pause --stop-processes "$ID"
	"$INVCTL" cancel --wait=20 "$ID"
	ended_with 122
	[[ $(cat out) == caught ]]
}

@test "a request lets one go on that never gets a signal" {
	start --signal=none -- sh -c ': >ready; until "$INVCTL" check --peek; [ $? = 1 ]; do sleep 0.02; done
		"$INVCTL" check; exit $?'
	retry test -e ready
	"$INVCTL" pause --stop-processes "$ID"
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "run --cooperative can be paused before its first check" {
	start --cooperative -- sh -c 'until [ -e let ]; do sleep 0.02; done; "$INVCTL" check; : >checked'
	run -0 "$INVCTL" pause "$ID"
	state_is "$ID" paused
	: >let
	has_checked() {
		[[ $(field "$ID" .lastCheck) != null ]]
	}
	retry has_checked
	[[ ! -e checked ]]
	"$INVCTL" resume "$ID"
	ended_with 0
}

@test "a finish command is never paused" {
	start --finish='"$INVCTL" check; "$INVCTL" sleep 1ms; until [ -e let ]; do sleep 0.02; done' -- \
		sh -c '"$INVCTL" sleep inf'
	retry field_is "$ID" .cooperative true
	"$INVCTL" pause "$ID"
	kill -KILL "$(command_pid)"
	retry state_is "$ID" finishing
	[[ $(field "$ID" .paused) == false ]]
	run -115 "$INVCTL" pause "$ID"
	assert_output --partial "is finishing: its command has ended, and what follows is never paused"
	run -0 "$INVCTL" resume "$ID"
	: >let
	ended_with 137
}

@test "all its processes are stopped, those in sessions of their own too, and those of nested ones" {
	start -- sh -c 'setsid sleep 1000 & echo $! >first; "$INVCTL" run -n inner sleep 1001 & wait'
	inner_pid() {
		"$INVCTL" list -n -o pid --name=inner
	}
	has_inner() {
		[[ -n $(inner_pid) ]]
	}
	retry has_inner
	run -0 "$INVCTL" pause --stop-processes "$ID"
	retry is_stopped "$(cat first)"
	retry is_stopped "$(inner_pid)"
	"$INVCTL" resume "$ID"
	retry process_state_is "$(cat first)" S
	retry process_state_is "$(inner_pid)" S
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
}

@test "kill-after and --kill reach what is stopped" {
	start_ticking --kill-after=100ms --signal=none
	"$INVCTL" pause --stop-processes "$ID"
	"$INVCTL" cancel "$ID"
	ended_with 137
	start_ticking
	"$INVCTL" pause --stop-processes "$ID"
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
}

@test "what a command leaves stopped behind goes on" {
	start -- sh -c 'sleep 1000 & echo $! >left; wait'
	retry test -s left
	STARTED_PIDS+=("$(cat left)")
	"$INVCTL" pause --stop-processes "$ID"
	retry is_stopped "$(cat left)"
	kill -KILL "$(command_pid)"
	ended_with 137
	process_state_is "$(cat left)" S
}

@test "one that a signal has stopped is listed so, and resume continues it" {
	start_ticking
	kill -STOP "$(command_pid)"
	retry state_is "$ID" stopped
	run -0 "$INVCTL" list -n -o uuid --status=stopped
	assert_output "$ID"
	"$INVCTL" resume "$ID"
	retry state_is "$ID" running
	# With its supervisor, as Ctrl-Z does it.
	kill -TSTP "$RUN_PID"
	retry process_state_is "$RUN_PID" T
	retry state_is "$ID" stopped
	"$INVCTL" resume "$ID"
	retry state_is "$ID" running
	retry is_counting "$(wc -l <ticks)"
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "a supervisor that is stopped stops nothing, and pause says so" {
	start_ticking
	kill -STOP "$RUN_PID"
	retry process_state_is "$RUN_PID" T
	run -119 "$INVCTL" pause --stop-processes "$ID"
	assert_output --partial "is stopped, and signals nothing until 'kill -CONT $RUN_PID' lets it go on"
	kill -CONT "$RUN_PID"
	retry state_is "$ID" paused
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "the pauser and the resumer may be SIGKILLed at any moment" {
	start -- sh -c 'while "$INVCTL" sleep 1ms; do echo >>ticks; done'
	retry is_counting 2
	local round pid
	for round in {1..40}; do
		"$INVCTL" pause "$ID" 3>&- &
		pid=$!
		command sleep "0.00$((round % 7))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
	"$INVCTL" pause "$ID"
	state_is "$ID" paused
	"$INVCTL" resume "$ID"
	retry is_counting "$(wc -l <ticks)"
	"$INVCTL" cancel "$ID"
	ended_with 0
}

@test "a pause outlives the broker" {
	start -- sh -c '"$INVCTL" check; "$INVCTL" sleep 1ms; until [ -e let ]; do sleep 0.02; done
		"$INVCTL" check; : >checked'
	retry field_is "$ID" .cooperative true
	"$INVCTL" pause "$ID"
	end_broker
	: >let
	state_is "$ID" paused
	[[ ! -e checked ]]
	"$INVCTL" resume "$ID"
	ended_with 0
	[[ -e checked ]]
}

@test "where the supervisor is killed, the broker stops, continues and delivers" {
	# The kernel sends SIGHUP and SIGCONT to a stopped process group that loses its supervisor.
	start -- sh -c 'trap "" HUP; while :; do echo >>ticks; sleep 0.02; done'
	retry is_counting 2
	"$INVCTL" pause --stop-processes "$ID"
	local pid
	pid=$(command_pid)
	kill -KILL "$RUN_PID"
	adopted_and_stopped() {
		[[ $(field "$ID" .state) == paused ]] && is_stopped "$pid" &&
			"$INVCTL" show "$ID" | grep -q 'the broker has taken over'
	}
	retry adopted_and_stopped
	"$INVCTL" resume "$ID"
	retry is_counting "$(wc -l <ticks)"
	run -0 "$INVCTL" pause --stop-processes "$ID"
	is_stopped "$pid"
	"$INVCTL" cancel --wait=20 "$ID"
	retry process_is_gone "$pid"
}

@test "several, groups, and those that can't be paused" {
	start -n coop -- sh -c '"$INVCTL" sleep inf'
	local first=$ID
	retry field_is "$first" .cooperative true
	start_ticking -n never
	run -118 --separate-stderr "$INVCTL" pause --all
	[[ $stderr == *"$ID (never) has never checked"* ]]
	state_is "$first" paused
	run -0 "$INVCTL" resume --name='c*'
	state_is "$first" running
	run -113 "$INVCTL" pause "$(new_id)" coop
	state_is "$first" paused
	run -0 "$INVCTL" pause --name='none*'
	run -0 "$INVCTL" resume --all
	run -2 "$INVCTL" pause
	run -2 "$INVCTL" resume
	run -2 "$INVCTL" resume --stop-processes coop
	"$INVCTL" cancel --all
	retry field_is "$first" .status cancelled
	run -115 "$INVCTL" pause "$first"
	run -115 "$INVCTL" resume "$first"
}

#!/usr/bin/env bats
# The command line itself: help and usage everywhere, exit 2 for what makes no
# sense, and standard files that are closed or full.

load helpers

COMMANDS="run cancel list ls show wait status id check sleep log why"

@test "every command has --help, --usage and --version on stdout" {
	for command in $COMMANDS; do
		run -0 --separate-stderr "$INVCTL" "$command" --help
		[[ $output == "Usage: invctl "* && $output == *"Exit status"* && -z $stderr ]]
		run -0 --separate-stderr "$INVCTL" "$command" --usage
		[[ $output == "Usage: invctl "* && -z $stderr ]]
		run -0 "$INVCTL" "$command" --version
		assert_output --regexp '^invctl [0-9]+\.[0-9]+\.[0-9]+$'
	done
}

@test "help names every command and is the same as --help" {
	run -0 "$INVCTL" --help
	for command in run cancel list show wait status id check sleep log why; do
		assert_line --regexp "^  $command( |,)"
	done
	run -0 "$INVCTL" help
	assert_line --regexp '^  cancel '
	run -0 "$INVCTL" help cancel
	assert_line --partial "Usage: invctl cancel"
}

@test "no command at all is help on stderr and 2" {
	run -2 --separate-stderr "$INVCTL"
	[[ -z $output && $stderr == "Usage: invctl "* ]]
}

@test "an unknown command is a sentence and 2" {
	run -2 --separate-stderr "$INVCTL" frobnicate
	[[ -z $output && $stderr == "invctl: 'frobnicate' is no command of invctl; "* ]]
	run -2 "$INVCTL" help frobnicate
}

@test "an unknown option is 2 in every command, and names where help is" {
	run -2 --separate-stderr "$INVCTL" --frobnicate
	for command in $COMMANDS; do
		run -2 --separate-stderr "$INVCTL" "$command" --frobnicate
		[[ $stderr == "invctl: unrecognized option '--frobnicate'"* ]]
		[[ $command == ls || $stderr == *"invctl $command --help"* ]]
	done
}

@test "a table's name that is none is 2" {
	run -2 "$INVCTL" --table=a/b list
	assert_output --partial "--table"
	run -2 "$INVCTL" --table= list
	run -2 "$INVCTL" --table="$(printf 'x%.0s' {1..65})" list
	INVCTL_TABLE=a/b run -2 "$INVCTL" list
}

@test "a full stdout is 125 and a message" {
	start -- sleep 1000
	for command in "list" "list --json" "show $ID" "status" "--help"; do
		# shellcheck disable=SC2086  # several words on purpose
		run -125 --separate-stderr bash -c '"$INVCTL" "$@" >/dev/full' - $command
		[[ $stderr == "invctl: stdout could not be written"* ]]
	done
}

@test "a closed stdout is 125 where something was to be written, else nothing" {
	start -- sleep 1000
	run -125 bash -c '"$INVCTL" list >&-'
	run -0 bash -c '"$INVCTL" check >&-'
}

@test "a reader that has gone is an error even where SIGPIPE is ignored" {
	start -- sleep 1000
	# The reader closes its end before the writer starts.
	run -125 bash -c 'trap "" PIPE; exec 4> >(exec true); while kill -0 $! 2>/dev/null; do
		command sleep 0.01; done; "$INVCTL" list >&4'
	assert_output --partial "stdout could not be written"
}

@test "all three standard files closed: nothing is written to a wrong place" {
	start -- sleep 1000
	run -0 bash -c '"$INVCTL" cancel --wait=20s "$1" <&- >&- 2>&-' - "$ID"
	ended_with 122
	run -0 "$INVCTL" list --json
	assert_output "[]"
}

@test "stdout is data only: messages go to stderr" {
	run -113 --separate-stderr "$INVCTL" show nothing
	[[ -z $output && $stderr == "invctl: "* ]]
	run -116 --separate-stderr "$INVCTL" status --json
	[[ -z $output && $stderr == "invctl: "* ]]
}

@test "control characters of a user's text reach no terminal" {
	run -113 --separate-stderr "$INVCTL" show $'\e[31mred'
	[[ $stderr == *'\x1b[31mred'* && $stderr != *$'\e'* ]]
}

@test "a file in the table's place that is no table is a message and 116" {
	echo rubbish >"/dev/shm/$INVCTL_TABLE"
	chmod 600 "/dev/shm/$INVCTL_TABLE"
	for command in "list" "status" "cancel abcd" "show abcd" "wait abcd"; do
		# shellcheck disable=SC2086  # several words on purpose
		run -116 "$INVCTL" $command
		assert_output --partial "invctl: /dev/shm/$INVCTL_TABLE (8 bytes) is damaged or no table of invctl"
	done
}

@test "a table that is truncated kills no command: each ends with an error of its own" {
	start -- sleep 1000
	"$INVCTL" sleep --id="$ID" inf 3>&- 2>sleeper.err &
	local sleeper=$! status=0
	STARTED_PIDS+=("$sleeper" "$(broker_pid)" "$(field "$ID" .pid)")
	retry field_is "$ID" .cooperative true
	: >"/dev/shm/$INVCTL_TABLE"
	retry process_is_gone "$sleeper"
	wait "$sleeper" || status=$?
	[[ $status == 116 ]]
	for command in "list" "check --id=$ID" "log --id=$ID text" "cancel $ID" "show $ID" "status"; do
		# shellcheck disable=SC2086  # several words on purpose
		run -116 "$INVCTL" $command
	done
}

#!/usr/bin/env bats
# The command line itself: help and usage everywhere, exit 2 for what makes no
# sense, and standard files that are closed or full.

load helpers

COMMANDS="run cancel pause resume list ls ps show wait status id check sleep log why"

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
	for command in run cancel pause resume list show wait status id check sleep log why; do
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

@test "an unknown command is a sentence that names the nearest one, and 2" {
	run -2 --separate-stderr "$INVCTL" frobnicate
	[[ -z $output && $stderr == "invctl: 'frobnicate' is no command of invctl; 'invctl --help' lists them" ]]
	run -2 "$INVCTL" help frobnicate
	local word
	for word in lsit:list lst:list cancle:cancel cansel:cancel runn:run stauts:status slep:sleep wiat:wait hlep:help; do
		run -2 --separate-stderr "$INVCTL" "${word%:*}"
		[[ $stderr == *"did you mean 'invctl ${word#*:}'?"* ]]
	done
	# Three letters that are all others are no misspelling.
	for word in xyz "" zzz; do
		run -2 "$INVCTL" "$word"
		refute_output --partial "did you mean"
	done
	run -2 "$INVCTL" "$(printf 'x%.0s' {1..5000})"
}

@test "words of other tools name the counterpart, and do nothing" {
	start --name=scan -- sleep 1000
	local word
	mkdir bin
	printf '#!/bin/sh\necho never\n' >bin/invctl-stop
	chmod +x bin/invctl-stop
	for word in stop:cancel kill:cancel inspect:show; do
		PATH=$PWD/bin:$PATH run -2 --separate-stderr "$INVCTL" "${word%:*}" scan
		[[ -z $output && $stderr == "invctl: '${word%:*}' is no command of invctl: "*"'invctl ${word#*:}'"* ]]
	done
	for word in start:run submit:run restart:run terminate:cancel abort:cancel jobs:list; do
		run -2 "$INVCTL" "${word%:*}" scan
		assert_output --partial "'invctl ${word#*:}'"
	done
	run -2 "$INVCTL" rm scan
	assert_output --partial "finished ones go by themselves"
	run -2 "$INVCTL" help stop
	assert_output --partial "'invctl cancel'"
	field_is "$ID" '[.status, .cancel] | @json' '["running",null]'
}

@test "a word that stops or removes elsewhere runs no program of that name; any other does" {
	start --name=scan -- sleep 1000
	mkdir bin
	local word
	for word in stop kill terminate abort interrupt signal quit halt killall estop suspend freeze rm remove \
		delete prune start submit tail; do
		printf '#!/bin/sh\necho "own $*"\n' >bin/invctl-$word
		chmod +x bin/invctl-$word
	done
	for word in stop kill terminate abort interrupt signal quit halt killall estop suspend freeze rm remove \
		delete prune; do
		PATH=$PWD/bin:$PATH run -2 "$INVCTL" "$word" scan
		assert_output --partial "'$word' is no command of invctl"
	done
	for word in start submit tail; do
		PATH=$PWD/bin:$PATH run -0 "$INVCTL" "$word" scan
		assert_output "own scan"
	done
	field_is "$ID" '[.status, .cancel] | @json' '["running",null]'
}

@test "invctl-foo in PATH is invctl foo; --table is handed on to it" {
	mkdir bin
	printf '#!/bin/sh\necho "$INVCTL_TABLE ${INVCTL_ID-none} $*"\nexit 7\n' >bin/invctl-foo
	chmod +x bin/invctl-foo
	PATH=$PWD/bin:$PATH INVCTL_ID=$(new_id) run -7 "$INVCTL" --table=lab foo --bar 'a b'
	assert_output "lab none --bar a b"
	INVCTL_ID=x PATH=$PWD/bin:$PATH run -7 "$INVCTL" foo
	assert_output "$INVCTL_TABLE x "
	PATH=$PWD/bin:$PATH run -7 "$INVCTL" help foo
	assert_output "$INVCTL_TABLE none --help"
	# Not from the working directory, and never with a slash.
	cd bin
	local path
	for path in .:/bin :/bin /bin: /bin::/usr/bin ../bin:/bin; do
		PATH=$path run -2 "$INVCTL" foo
	done
	run -2 "$INVCTL" ../bin/foo
}

@test "a directory named invctl-foo in PATH hides no program behind it; an empty word is none" {
	mkdir -p first/invctl-foo second
	printf '#!/bin/sh\necho found\n' >second/invctl-foo
	cp second/invctl-foo second/invctl-
	chmod +x second/*
	PATH=$PWD/first:$PWD/second:$PATH run -0 "$INVCTL" foo
	assert_output found
	PATH=$PWD/second:$PATH run -2 "$INVCTL" ""
}

# A copy of invctl alone, in a directory of its own: $ALONE.
invctl_alone() {
	[[ ! -e /usr/local/libexec/invctl/invctl-view ]] || skip "one is installed"
	mkdir alone
	cp "$INVCTL" alone
	ALONE=$PWD/alone/invctl
}

@test "a missing helper is a sentence and 125; what acts needs none" {
	invctl_alone
	local command
	for command in list ls ps show status "help list" "list --help"; do
		# shellcheck disable=SC2086  # several words on purpose
		PATH=/usr/bin:/bin run -125 --separate-stderr "$ALONE" $command
		[[ -z $output && $stderr == "invctl: invctl-view, which '"*"' needs, is missing: "* ]]
	done
	PATH=/usr/bin:/bin run -0 "$ALONE" check
	PATH=/usr/bin:/bin run -0 "$ALONE" --help
	PATH=$BUILD:/usr/bin:/bin run -0 "$ALONE" list
}

@test "a helper of another version is a sentence and 125" {
	invctl_alone
	cp "$BUILD/invctl-view" alone
	run -0 "$ALONE" list
	LC_ALL=C sed -i 's/--invctl-version=[0-9.]*/--invctl-version=9.9.9/' "$ALONE"
	run -125 --separate-stderr "$ALONE" list
	[[ -z $output && $stderr == "invctl: invctl-view is version "*" and invctl is 9.9.9; "* ]]
}

@test "with raised privileges no helper comes from beside, and none from PATH" {
	((EUID == 0)) || skip "needs root"
	invctl_alone
	local place status=0 name
	place=$(mktemp -d)
	[[ $(findmnt -no OPTIONS -T "$place") != *nosuid* ]] || {
		rmdir "$place"
		skip "$place is mounted without set-user-id programs"
	}
	chmod 755 "$place"
	for name in invctl-foo invctl-view; do
		printf '#!/bin/sh\necho never\n' >"$place/$name"
		chmod 755 "$place/$name"
	done
	cp "$INVCTL" "$place"
	chmod 4755 "$place/invctl"
	for name in foo list; do
		output=$(PATH=$place:/usr/bin:/bin setpriv --reuid=61010 --clear-groups "$place/invctl" $name 2>&1) || status=$?
		echo "$status $output"
		[[ $status != 0 && $output == "invctl: "* && $output != *never* ]] || break
	done
	rm -r "$place"
	[[ $status != 0 && $output != *never* ]]
}

@test "an unknown option is 2 in every command, and names where help is" {
	run -2 --separate-stderr "$INVCTL" --frobnicate
	for command in $COMMANDS; do
		run -2 --separate-stderr "$INVCTL" "$command" --frobnicate
		[[ $stderr == "invctl: unrecognized option '--frobnicate'"* ]]
		[[ $command == [lp]s || $stderr == *"invctl $command --help"* ]]
	done
}

@test "a table's name that is none is 2" {
	run -2 "$INVCTL" --table=a/b list
	assert_output --partial "--table"
	run -2 "$INVCTL" --table= list
	run -2 "$INVCTL" --table="$(printf 'x%.0s' {1..65})" list
	INVCTL_TABLE=a/b run -2 "$INVCTL" list
	assert_output --partial "INVCTL_TABLE 'a/b'"
	refute_output --partial "--table"
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

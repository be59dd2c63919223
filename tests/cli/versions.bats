#!/usr/bin/env bats
# Contract 7, "In a table of another version": after an upgrade over a live table list says so, and
# cancel reaches what run supervises. The other version is this one, built with another number of
# its layout.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers

setup_file() {
	export OTHER=$BUILD/other-version
	make -s -C "$ROOT" -j2 BUILD="$OTHER" SANITIZE= COVERAGE= CPPFLAGS=-DINV_LAYOUT_VERSION=99 \
		"$OTHER/invctl" "$OTHER/invctl-view" "$OTHER/invbroker" >&2
}

teardown() {
	INVCTL=$OTHER/invctl teardown_table
}

# A run of the other version, in the background; ID and RUN_PID as of start.
start_other() {
	local own=$INVCTL
	INVCTL=$OTHER/invctl
	start "$@"
	INVCTL=$own
}

@test "list says so, and names the runs that can be reached" {
	start_other --name=night sleep 1000
	run -116 --separate-stderr "$INVCTL" list
	[[ $output == "$ID  night  run by process $RUN_PID" ]]
	[[ $stderr == *"made by another version of invctl"* ]]
	[[ $stderr == *"'invctl cancel' reaches these"* ]]
	run -116 --separate-stderr "$INVCTL" list --json
	jq -e ". == [{id: \"$ID\", action: \"night\", ownerPid: $RUN_PID}]" <<<"$output"
}

@test "cancel by id, prefix or name is a request, and the script parks" {
	local selector
	for selector in night whole prefix; do
		start_other --name=night sh -c 'trap "echo parked >parked; exit" TERM; touch ready; while :; do sleep 0.02; done'
		retry test -e ready
		case $selector in
		whole) selector=$ID ;;
		prefix) selector=${ID:0:8} ;;
		esac
		run -0 "$INVCTL" cancel --wait=20s "$selector"
		ended_with 122
		[[ $(<parked) == parked ]]
		rm -f ready parked
	done
}

@test "all, and those with a name; nothing else is signalled" {
	start_other --name=scan-1 sleep 1000
	local first=$RUN_PID
	start_other --name=other sleep 1000
	run -0 "$INVCTL" cancel --wait=20s --name='scan-*'
	RUN_PID_KEPT=$RUN_PID RUN_PID=$first
	ended_with 122
	RUN_PID=$RUN_PID_KEPT
	run ! process_is_gone "$RUN_PID"
	run -0 "$INVCTL" cancel --wait=20s --all
	ended_with 122
}

@test "--dry-run prints what is selected, and signals nothing" {
	start_other --name=scan-1 sleep 1000
	run -0 --separate-stderr "$INVCTL" cancel --dry-run --name='scan-*'
	assert_output "$ID scan-1"
	run -113 "$INVCTL" cancel --dry-run missing
	run ! process_is_gone "$RUN_PID"
	run -0 "$INVCTL" cancel --wait=20s --all
	ended_with 122
}

@test "unknown, ambiguous, and what a SIGTERM can't say" {
	start_other --name=twice sleep 1000
	local first=$RUN_PID
	start_other --name=twice sleep 1000
	run -113 --separate-stderr "$INVCTL" cancel nosuch
	[[ $stderr == *"no run of table"*"'nosuch'"* ]]
	run -114 --separate-stderr "$INVCTL" cancel twice
	run -118 --separate-stderr "$INVCTL" cancel --kill "$ID"
	run -0 "$INVCTL" cancel --wait=20s --all
	ended_with 122
	RUN_PID=$first
	ended_with 122
}

@test "a run file whose process has ended, or whose pid is another's now, signals no process" {
	start_other --name=night sleep 1000
	local file
	file=$(find "$INVCTL_STATE_DIR" -name "$ID.run")
	sleep 1000 3>&- &
	local stranger=$!
	cp "$file" kept
	# The stranger's pid, with another start time.
	sed "s/supervisor=[0-9]* /supervisor=$stranger /" kept >"$file"
	run -116 --separate-stderr "$INVCTL" list
	[[ -z $output ]]
	run -0 "$INVCTL" cancel --all
	run ! process_is_gone "$stranger"
	kill "$stranger"
	cat kept >"$file"
	run -0 "$INVCTL" cancel --wait=20s night
	ended_with 122
}

@test "run and the other commands refuse with a sentence" {
	start_other --name=night sleep 1000
	local command
	for command in "run true" "show night" "status" "wait night"; do
		# shellcheck disable=SC2086  # words on purpose
		run --separate-stderr "$INVCTL" $command
		[[ $status == 116 ]]
		[[ $stderr == *"made by another version of invctl"* ]]
	done
	run -0 "$INVCTL" cancel --wait=20s night
	ended_with 122
}

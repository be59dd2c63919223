#!/usr/bin/env bats
# What a process may not have: descriptors, memory, room for its files. The promises: a
# sentence and an exit status that tell, nothing hangs, nothing crashes, no action is lost.
# BUILD is the build's folder (build).

load ../cli/helpers
load ../cli/namespaces

FEW_DESCRIPTORS="3 4 5 6 7 8 9 12 20"

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	# shellcheck source=tests/stress/build.sh
	. tests/stress/build.sh
	stress_program descriptors descriptors.c
	stress_preload malloc_shim malloc_shim.c
	stress_dynamic_invctl
}

setup() {
	setup_table
	PROGRAMS=$BUILD/stress
}

# few NUMBER COMMAND…: with so many descriptors. bats keeps some of its own open.
few() {
	local number=$1
	shift
	timeout 20 prlimit --nofile="$number:$number" "$@" 3>&- 4>&- </dev/null
}

# Either it went as it does with all descriptors, or it says that there are too few, with a
# status that means "no table to be had" or "failed itself".
went_or_said() { # usual-status
	if ((status == $1)); then
		return
	fi
	[[ $status == 116 || $status == 125 ]]
	assert_output --partial "ulimit -n"
}

@test "few descriptors: each command does its work or says why not, and none hangs" {
	start -- sleep 1000
	export INVCTL_ID=$ID
	local number
	for number in 3 4 5 6; do
		run few "$number" "$INVCTL" check
		went_or_said 0
		run few "$number" "$INVCTL" list
		went_or_said 0
		run few "$number" "$INVCTL" wait --timeout=1ms "$ID"
		went_or_said 119
	done
	# With the last of them, at the latest, all of it works.
	assert_failure 119
}

@test "few descriptors: a cancel that says it asked has asked" {
	local number
	for number in 3 4 5; do
		start -- sleep 1000
		run few "$number" "$INVCTL" cancel "$ID"
		went_or_said 0
		((status == 0)) || "$INVCTL" cancel "$ID"
		ended_with 122
	done
}

@test "few descriptors: what run starts can be cancelled, what it can't look after is not started" {
	"$INVBROKER" --table="$INVCTL_TABLE"
	local number started=0
	for number in $FEW_DESCRIPTORS; do
		ID=$(new_id)
		few "$number" "$INVCTL" run --id="$ID" -- \
			sh -c 'setsid sleep 1000 & touch started; wait' 2>said &
		RUN_PID=$!
		STARTED_PIDS+=("$RUN_PID")
		retry started_or_over
		if [[ -e started ]]; then
			"$INVCTL" cancel "$ID"
			ended_with 122
			rm started
			started=$((started + 1))
		else
			retry process_is_gone "$RUN_PID"
			grep -q "ulimit -n" said
			[[ ! -e started ]]
		fi
	done
	((started > 0))
	# Those that were registered are on record as what they were.
	run "$INVCTL" list --all --json
	[ "$(jq '[.[] | select(.status == "running" or .status == "pending")] | length' <<<"$output")" = 0 ]
	[ "$(jq "[.[] | select(.status == \"cancelled\")] | length" <<<"$output")" = "$started" ]
}

started_or_over() {
	[[ -e started ]] || process_is_gone "$RUN_PID"
}

@test "few descriptors: a detached run is registered or says why not" {
	"$INVBROKER" --table="$INVCTL_TABLE"
	local number
	for number in $FEW_DESCRIPTORS; do
		run few "$number" "$INVCTL" run --detach -- true
		((status == 0)) || assert_output --regexp "descriptor|open files"
		((status == 0)) || [[ $status == 116 || $status == 125 ]]
	done
	assert_success
	retry nothing_lives
}

nothing_lives() {
	[[ $("$INVCTL" list --json | jq length) == 0 ]]
}

@test "few descriptors: a broker that can't serve says so, and leaves no table" {
	local number
	for number in ${FEW_DESCRIPTORS#3 }; do
		run few "$number" "$INVBROKER" --table="$INVCTL_TABLE"
		((status != 0)) || break
		[ "$status" -ge 116 ]
		assert_output --regexp "descriptor|open files"
		[ ! -e "/dev/shm/$INVCTL_TABLE" ]
	done
	assert_success
}

@test "few descriptors: the first run on a machine starts a broker or says why not, and leaves nothing" {
	local number
	for number in $FEW_DESCRIPTORS; do
		run few "$number" "$INVCTL" run -- true
		((status != 0)) || break
		[[ $status == 116 ]] || [[ $status == 125 && -e /dev/shm/$INVCTL_TABLE ]]
		assert_output --partial "invctl: "
		[[ $status == 125 || ! -e /dev/shm/$INVCTL_TABLE ]]
	done
	assert_success
}

@test "the descriptors of a supervisor are taken away: its command is signalled all the same" {
	local how
	for how in "" --kill; do
		start -- sleep 1000 2>said
		prlimit --pid "$RUN_PID" --nofile=3:
		# shellcheck disable=SC2086
		run timeout 20 "$INVCTL" cancel $how "$ID"
		assert_success
		ended_with "$([[ $how == "" ]] && echo 122 || echo 137)"
		grep -q "its command alone is signalled" said
	done
}

@test "few descriptors: a program's calls fail by the errors they name, and nothing is left open" {
	"$INVBROKER" --table="$INVCTL_TABLE"
	local number
	# With three not even the program's libraries can be opened.
	for number in ${FEW_DESCRIPTORS#3 }; do
		run few "$number" "$PROGRAMS/descriptors"
		assert_success
	done
	assert_output "all of it went"
	nothing_lives
}

# short_of_memory TIMES COMMAND…: so many allocations succeed.
short_of_memory() {
	local times=$1
	shift
	timeout 20 env LD_PRELOAD="$PROGRAMS/malloc_shim.so" MALLOC_WORKS_TIMES="$times" \
		"$PROGRAMS/invctl-dynamic" "$@" 3>&- </dev/null
}

@test "no memory: each command does its work or says why not, and none crashes or hangs" {
	start -- sleep 1000
	export INVCTL_ID=$ID
	local times
	for times in 0 1 2 4 6 8 9 11 14; do
		run short_of_memory "$times" check
		[[ $status == 0 || $status == 116 || $status == 125 ]]
		run short_of_memory "$times" list
		[[ $status == 0 || $status == 116 || $status == 125 ]]
		run short_of_memory "$times" wait --timeout=1ms "$ID"
		[[ $status == 119 || $status == 116 || $status == 125 ]]
		run short_of_memory "$times" run --no-parent -- true
		[[ $status == 0 ]] || assert_output --partial "emory"
		[[ $status == 0 || $status == 116 || $status == 125 || $status == 126 ]]
	done
	assert_success
}

@test "no memory: what runs can be cancelled, also where its processes can't be looked for" {
	"$INVBROKER" --table="$INVCTL_TABLE"
	local times
	for times in 14 16 18; do
		ID=$(new_id)
		short_of_memory "$times" run --id="$ID" -- sleep 1000 &
		RUN_PID=$!
		STARTED_PIDS+=("$RUN_PID")
		retry field_is "$ID" .status running
		"$INVCTL" cancel "$ID"
		ended_with 122
	done
}

@test "little address space: a sentence that names the remedy" {
	"$INVBROKER" --table="$INVCTL_TABLE"
	run timeout 20 prlimit --as=8388608 "$INVCTL" run -- true
	assert_failure 116
	assert_output --partial "ulimit -v"
}

@test "a state directory that can't be written: the action goes on, and the loss is told" {
	need_mount_namespace
	run in_mount_namespace bash -c '
		mkdir -p "$INVCTL_STATE_DIR"
		mount -t tmpfs -o ro tmpfs "$INVCTL_STATE_DIR" || exit
		"$INVCTL" run --id="$1" -- sh -c "\"$INVCTL\" log lost; exit 4"
		echo "run: $?"
		id=$("$INVCTL" run --detach -- sh -c "echo lost; exit 5")
		"$INVCTL" wait "$id"
		echo "wait: $?"
		"$INVCTL" show --json "$1" | jq -c "[.logLost, .exitStatus]"
		"$INVCTL" status --json | jq -r ".problems[]"' - "$(new_id)"
	assert_line --partial "the text is above"
	assert_line "run: 4"
	assert_line --partial "output will not be kept"
	assert_line "wait: 5"
	assert_line "[1,4]"
	assert_line --partial "set INVCTL_STATE_DIR"
	assert_line --partial "1 log records of 1 invocations"
}

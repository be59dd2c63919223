# What the command-line tests share: a table and a state directory of their own
# for every test, bounded waiting, and a teardown that leaves nothing behind.
#
# BUILD names the build directory to test; by default build/.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load
load /usr/lib/bats/bats-assert/load

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(cd "${BUILD:-$ROOT/build}" && pwd)
export INVCTL=$BUILD/invctl
export INVBROKER=$BUILD/invbroker

# What to end by pid when the test is over.
STARTED_PIDS=()

setup() {
	setup_table
}

teardown() {
	teardown_table
}

setup_table() {
	unset INVCTL_ID INVCTL_AUTOSTART INVCTL_REQUIRE
	export INVCTL_TABLE=test-$$-$BATS_TEST_NUMBER-$RANDOM
	export INVCTL_STATE_DIR=$BATS_TEST_TMPDIR/state
	cd "$BATS_TEST_TMPDIR" || return
}

teardown_table() {
	local pid
	unset INVCTL_ID
	for pid in "${STARTED_PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for pid in $(started_pids); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	end_broker
	rm -f "/dev/shm/$INVCTL_TABLE"
}

# What the test has started, below any command: its environment names the test's table. It is
# the environment that exec gave, so bats itself is not among these.
started_pids() {
	grep -lzFx "INVCTL_TABLE=$INVCTL_TABLE" /proc/[0-9]*/environ 2>/dev/null |
		tr -dc '0-9\n' | grep -vx "$$" || true
}

# The programs were built with a sanitizer.
is_sanitized() {
	grep -q __asan_init "$BUILD/libinvctl.so"
}

# Without jq, which takes as long as ten commands: every test asks for it.
broker_pid() {
	local pattern='"broker": *\{[^}]*"pid": *([0-9]+)'
	[[ ! $("$INVCTL" status --json 2>/dev/null) =~ $pattern ]] || echo "${BASH_REMATCH[1]}"
}

# A zombie that nobody has reaped yet is gone as well, once its other threads are: until then
# its files are open and its locks are held.
process_is_gone() {
	! cat "/proc/$1/task"/*/status 2>/dev/null | grep -q '^State:[[:space:]]*[^ZX[:space:]]'
}

# Its first thread may have ended while others still hold the table.
broker_is_gone() { # pid
	process_is_gone "$1" && [[ $(broker_pid) != "$1" ]]
}

# SIGKILL the broker of the test's table, and see it gone. What the table names is looked at
# first: a test may have written another pid there, and one of another namespace is not its pid here.
end_broker() {
	local pid
	pid=$(broker_pid)
	[[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) == invbroker ]] || return 0
	kill -KILL "$pid" 2>/dev/null || true
	retry broker_is_gone "$pid"
}

new_id() {
	cat /proc/sys/kernel/random/uuid
}

# retry COMMAND...: until it succeeds, for at most 20 s.
retry() {
	local until=$((SECONDS + 20))
	until "$@"; do
		((SECONDS < until)) || {
			echo "still failing after 20 s: $*" >&2
			return 1
		}
		command sleep 0.02
	done
}

# The value of a key of an invocation's JSON: field ID .cancel.cause
field() {
	"$INVCTL" show --json "$1" | jq -r "$2"
}

# field_is ID FILTER VALUE: for retry.
field_is() {
	[[ $(field "$1" "$2" 2>/dev/null) == "$3" ]]
}

# start [OPTION...] [--] COMMAND...: `invctl run` in the background. Returns when
# the command runs; then $ID is its id and $RUN_PID the supervisor's pid.
start() {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" "$@" 3>&- &
	RUN_PID=$!
	STARTED_PIDS+=("$RUN_PID")
	retry field_is "$ID" .status running
}

# ended_with STATUS: what `start` started ends with that exit status. Not to be called in a
# subshell, which has no children of its own to wait for.
ended_with() {
	local status=0
	retry process_is_gone "$RUN_PID" || return
	wait "$RUN_PID" || status=$?
	[[ $status == "$1" ]] || {
		echo "'invctl run' exited with $status, not $1" >&2
		return 1
	}
}

# stop_process PID: by SIGSTOP, which takes a moment.
stop_process() {
	kill -STOP "$1"
	retry grep -q '^State:.T' "/proc/$1/status"
}

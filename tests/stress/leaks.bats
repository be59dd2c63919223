#!/usr/bin/env bats
# Nothing leaks: not in the table, not in the broker, not in a program that uses the library,
# however many come and go, or are there at once.
# BUILD is the build's folder (build); LIVES is how many come and go (600).

load ../cli/helpers

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	# shellcheck source=tests/stress/build.sh
	. tests/stress/build.sh
	stress_program crowd crowd.c
	stress_program short_lives short_lives.c
	stress_program library_leaks library_leaks.c
	stress_program waiters waiters.c
}

setup() {
	setup_table
	PROGRAMS=$BUILD/stress
}

serve() { # option…
	"$INVBROKER" --table="$INVCTL_TABLE" "$@"
	BROKER=$(broker_pid)
}

broker_descriptors() {
	find "/proc/$BROKER/fd" -mindepth 1 | wc -l
}

broker_anonymous_kib() {
	sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$BROKER/status"
}

# Nobody is in the table but the broker, and as many records are kept as are told.
only_records() { # how-many
	"$INVCTL" status --json |
		jq -e --argjson kept "$1" '.live == 0 and .finished == $kept and .owners == 1' >/dev/null
}

broker_has_descriptors() { # how-many
	[[ $(broker_descriptors) == "$1" ]]
}

@test "many short lives, half of which die without a word, leave nothing but records" {
	local lives=${LIVES:-600}
	serve --capacity=16384 --retain=1d
	"$PROGRAMS/short_lives" 100
	retry only_records 100
	local descriptors memory_kib grown_kib
	descriptors=$(broker_descriptors)
	memory_kib=$(broker_anonymous_kib)
	run timeout 200 "$PROGRAMS/short_lives" "$lives"
	assert_success
	retry only_records $((100 + lives))
	[ "$("$INVCTL" list --all --status=error --noheadings | wc -l)" = $(((100 + lives) / 2)) ]
	retry broker_has_descriptors "$descriptors"
	grown_kib=$(($(broker_anonymous_kib) - memory_kib))
	echo "the broker has grown by $grown_kib KiB"
	((grown_kib < 512))
}

@test "runs that come and go leave nothing but their records, and those go with their time" {
	serve --retain=50ms
	"$INVCTL" run -- true
	retry only_records 0
	local descriptors
	descriptors=$(broker_descriptors)
	for _ in {1..30}; do
		"$INVCTL" run -- true
	done
	retry only_records 0
	retry broker_has_descriptors "$descriptors"
	# No run file, log or output is left of them.
	[ "$(find "$INVCTL_STATE_DIR/$INVCTL_TABLE" -type f ! -name broker.log | wc -l)" = 0 ]
}

@test "a thousand waiters on one event leave nothing" {
	serve
	local descriptors
	descriptors=$(broker_descriptors)
	run timeout 120 "$PROGRAMS/waiters" 1000
	assert_success
	assert_output 1000
	retry only_records 0
	retry broker_has_descriptors "$descriptors"
}

@test "ten thousand live at once are listed, cancelled and waited for, and leave nothing" {
	serve
	"$PROGRAMS/crowd" 10000 >said 3>&- &
	local crowd=$!
	STARTED_PIDS+=("$crowd")
	retry grep -q here said
	[ "$("$INVCTL" list --noheadings | wc -l)" = 10000 ]
	[ "$("$INVCTL" list --json | jq length)" = 10000 ]
	run timeout 120 "$INVCTL" cancel --all --reason="all of you" --wait=100s
	assert_success
	wait "$crowd"
	grep -q "asked 10000" said
	retry only_records 0
}

@test "a program that has and gives back every kind of handle many times has not grown" {
	serve --capacity=8192 --retain=10ms
	run timeout 120 "$PROGRAMS/library_leaks" 600
	echo "$output"
	assert_success
}

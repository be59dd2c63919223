#!/usr/bin/env bats
# The check that the tests leave nothing behind notices what is left.

load ../cli/helpers

setup() {
	setup_table
	SCRATCH=$BATS_TEST_TMPDIR/scratch
	mkdir "$SCRATCH"
	# The pid of nobody: the kernel gives no greater one than this.
	OBJECT=left-4194304-$RANDOM$RANDOM$RANDOM
	"$ROOT/scripts/leftovers.sh" begin "$SCRATCH"
}

teardown() {
	rm -f "/dev/shm/$OBJECT"
	teardown_table
}

@test "processes, objects in /dev/shm and files that are left are noticed" {
	# As a daemon is: nobody's child any more. And one of the build, with no environment.
	(
		TMPDIR=$SCRATCH setsid sleep 1000 3>&- 4>&- >/dev/null 2>&1 &
		echo $! >pid
	)
	env -i "$INVBROKER" --table="$INVCTL_TABLE" --foreground 3>&- 4>&- 2>broker.log &
	STARTED_PIDS+=("$!" "$(cat pid)")
	retry test -e "/dev/shm/$INVCTL_TABLE"
	: >"$SCRATCH/forgotten"
	: >"/dev/shm/$OBJECT"

	run env PATIENCE=0 "$ROOT/scripts/leftovers.sh" end "$SCRATCH"
	assert_failure 1
	# Other tests may run at the same time, so it is looked for what belongs to this one.
	assert_line --regexp "^left: process $(cat pid): sleep 1000"
	assert_line --regexp "^left: process $!: .*invbroker"
	assert_line "left: /dev/shm/$OBJECT"
	# That of a test that is under way is not.
	refute_line "left: /dev/shm/$INVCTL_TABLE"
	assert_line "left: $SCRATCH/forgotten"
}

#!/usr/bin/env bats
# How a request reaches what runs under invctl run: by a look, by a signal, by a
# command, by SIGKILL; leaves first; and when the invocation ends after it.

load helpers

# A shell command line that looks once, so that the action counts as cooperative.
look() {
	echo "'$INVCTL' check --peek || :"
}

# wait_for FILE...
wait_for() {
	local file
	for file in "$@"; do
		retry test -e "$file" || return
	done
}

# Nothing that sleeps for so many seconds is left.
no_sleeper() {
	! ps -eo stat=,args= | grep -v '^Z' | grep -q "[s]leep $1\$"
}

# A number of seconds that nobody else sleeps for.
odd_seconds() {
	echo "$((100000 + RANDOM)).$((BASHPID % 100000))1"
}

cancel_state_is() {
	field_is "$ID" .cancel.state "$1"
}

@test "a command that does not look gets SIGTERM, once: cancelled, 122" {
	start sh -c 'trap "echo . >>terms" TERM; touch ready; while [ ! -e go ]; do sleep 0.02; done'
	wait_for ready
	"$INVCTL" cancel --reason=leak "$ID"
	wait_for terms
	# Neither a second request nor signals to run disturb the clean-up.
	"$INVCTL" cancel "$ID"
	kill -TERM "$RUN_PID"
	kill -HUP "$RUN_PID"
	run -0 "$INVCTL" show --json "$ID"
	touch go
	ended_with 122
	assert_equal "$(wc -l <terms)" 1
	assert_equal "$(field "$ID" .status)" cancelled
	assert_equal "$(field "$ID" .exitStatus)" 0
}

@test "the record tells cause, reason and actor of the request" {
	start sleep 100
	"$INVCTL" cancel --reason='cold trap warm' "$ID"
	ended_with 122
	assert_equal "$(field "$ID" .cause)" requested
	assert_equal "$(field "$ID" .cancel.reason)" 'cold trap warm'
	assert_equal "$(field "$ID" .cancel.state)" signalled
	assert_equal "$(field "$ID" .cancel.actor.command)" invctl
	assert_equal "$(field "$ID" .signal)" 15
}

@test "the signal reaches every process, setsid or orphaned or in a pipeline" {
	local seconds
	seconds=$(odd_seconds)
	start sh -c "setsid sleep $seconds & setsid sh -c '(sleep $seconds &)'
		sleep $seconds | sleep $seconds | cat & touch ready; wait"
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 122
	no_sleeper "$seconds"
}

@test "a stopped process gets the signal as well" {
	start sleep 100
	kill -STOP "$(field "$ID" .pid)"
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "clean-up that a signal starts is left alone, and the invocation lasts until it is over" {
	start sh -c 'trap "sh -c \"while [ ! -e go ]; do sleep 0.02; done; touch cleaned\" & exit 0" TERM
		touch ready; while :; do sleep 0.02; done'
	wait_for ready
	"$INVCTL" cancel "$ID"
	retry field_is "$ID" .cancel.state signalled
	assert_equal "$(field "$ID" .status)" running
	touch go
	ended_with 122
	[[ -e cleaned ]]
}

@test "without a request an invocation ends with its command; leftovers go on" {
	local seconds
	seconds=$(odd_seconds)
	start sh -c "sleep $seconds & echo \$! >left; while [ ! -e go ]; do sleep 0.02; done"
	touch go
	ended_with 0
	local left
	left=$(cat left)
	STARTED_PIDS+=("$left")
	run ! process_is_gone "$left"
	run -115 "$INVCTL" cancel "$ID"
	run ! process_is_gone "$left"
}

@test "run does not wait for a pipe that a leftover holds open" {
	local before=$SECONDS
	"$INVCTL" run sh -c 'sleep 60 & echo $! >left' | cat >/dev/null &
	wait_for left
	STARTED_PIDS+=("$(cat left)")
	retry test -n "$("$INVCTL" list --all --json | jq -r '.[] | select(.status == "completed") | .id')"
	((SECONDS - before < 40))
}

@test "a cooperative action gets no signal: its check delivers" {
	start sh -c "trap 'touch signalled' TERM
		while '$INVCTL' check; do touch looked; sleep 0.02; done; exit 3"
	wait_for looked
	"$INVCTL" cancel "$ID"
	ended_with 122
	[[ ! -e signalled ]]
	assert_equal "$(field "$ID" .cancel.state)" delivered
	assert_equal "$(field "$ID" .exitStatus)" 3
}

@test "a cooperative action that ends well after a request has completed" {
	start sh -c "until ! '$INVCTL' check; do touch looked; sleep 0.02; done; exit 0"
	wait_for looked
	"$INVCTL" cancel "$ID"
	ended_with 0
	assert_equal "$(field "$ID" .status)" completed
}

@test "cancel --signal signals a cooperative action, with a signal of choice" {
	start sh -c "$(look); trap 'exit 5' USR2; touch ready; while :; do sleep 0.02; done"
	wait_for ready
	"$INVCTL" cancel "$ID"
	assert_equal "$(field "$ID" .cancel.state)" requested
	"$INVCTL" cancel --signal=USR2 "$ID"
	ended_with 122
	assert_equal "$(field "$ID" .exitStatus)" 5
	start sh -c "$(look); touch again; while :; do sleep 0.02; done"
	wait_for again
	"$INVCTL" cancel --signal "$ID"
	ended_with 122
	assert_equal "$(field "$ID" .signal)" 15
}

@test "a signal asked for by name that ends nothing leaves the next request its SIGTERM" {
	start sh -c 'trap "touch told" USR1; trap "echo . >>terms" TERM; touch ready
		while [ ! -e go ]; do sleep 0.02; done'
	wait_for ready
	"$INVCTL" cancel --signal=USR1 "$ID"
	wait_for told
	[[ ! -e terms ]]
	"$INVCTL" cancel "$ID"
	wait_for terms
	"$INVCTL" cancel "$ID"
	run -0 "$INVCTL" show --json "$ID"
	touch go
	ended_with 122
	assert_equal "$(wc -l <terms)" 1
}

@test "--signal-after signals a cooperative action that does not look again" {
	start --signal-after=50ms sh -c "$(look); touch ready; sleep 100"
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 122
	assert_equal "$(field "$ID" .cancel.state)" signalled
}

@test "--signal=S is the signal; --signal=none never signals" {
	start --signal=USR1 sleep 100
	"$INVCTL" cancel "$ID"
	ended_with 122
	assert_equal "$(field "$ID" .signal)" 10
	start --signal=none sh -c 'trap "touch signalled" TERM; touch ready
		while [ ! -e go ]; do sleep 0.02; done'
	wait_for ready
	"$INVCTL" cancel "$ID"
	kill -TERM "$RUN_PID"
	touch go
	ended_with 0
	[[ ! -e signalled ]]
	assert_equal "$(field "$ID" .cancel.state)" requested
}

@test "a signal that asks run is delivered as that signal" {
	local signal
	for signal in TERM HUP; do
		start sh -c "trap 'echo $signal >got; exit 0' $signal; touch ready
			while :; do sleep 0.02; done"
		wait_for ready
		kill "-$signal" "$RUN_PID"
		ended_with 122
		assert_equal "$(cat got)" "$signal"
		assert_equal "$(field "$ID" .cause)" requested
		rm ready
	done
}

@test "signals that are ignored at the start ask nothing" {
	(
		trap '' HUP
		start sh -c 'touch ready; while [ ! -e go ]; do sleep 0.02; done'
		wait_for ready
		kill -HUP "$RUN_PID"
		touch go
		ended_with 0
		assert_equal "$(field "$ID" .cancel)" null
	)
}

@test "--stop runs a command instead of signalling, in the action's context and directory" {
	start --stop='echo "$INVCTL_ID $PWD" >stopped' sh -c 'trap "touch signalled" TERM
		touch ready; while [ ! -e stopped ]; do sleep 0.02; done; exit 0'
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 122
	[[ ! -e signalled ]]
	assert_equal "$(cat stopped)" "$ID $PWD"
	assert_equal "$(field "$ID" .cancel.state)" signalled
}

@test "a deadline is a request with cause deadline: 124" {
	run -124 "$INVCTL" run --timeout=50ms --id="$(new_id | tee id)" sleep 100
	assert_equal "$(field "$(cat id)" .status)" cancelled
	assert_equal "$(field "$(cat id)" .cause)" deadline
	run -0 "$INVCTL" run --timeout=inf true
	# A cooperative action may carry on after it.
	run -0 "$INVCTL" run --signal=none --timeout=50ms \
		sh -c "while '$INVCTL' check; do sleep 0.02; done; exit 0"
}

@test "--kill-after kills everything that is left, whatever it ignores: 137" {
	local seconds
	seconds=$(odd_seconds)
	start --kill-after=100ms sh -c "trap '' TERM HUP; setsid sleep $seconds & touch ready
		while :; do sleep 0.02; done"
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 137
	no_sleeper "$seconds"
	assert_equal "$(field "$ID" .status)" cancelled
	assert_equal "$(field "$ID" .cancel.state)" killed
}

@test "--kill-after kills a cooperative action too" {
	start --kill-after=100ms sh -c "$(look); touch ready; while :; do sleep 0.02; done"
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 137
	build_shielded
	start --kill-after=100ms ./shielded
	wait_for ready-shielded
	assert_equal "$(field "$ID" .shielded)" true
	"$INVCTL" cancel "$ID"
	ended_with 137
	[[ ! -e delivered ]]
}

@test "a shield holds a signal, and cancel --kill overrides it" {
	build_shielded
	start ./shielded
	wait_for ready-shielded
	"$INVCTL" cancel --signal "$ID"
	assert_equal "$(field "$ID" .shielded)" true
	assert_equal "$(field "$ID" .cancel.state)" requested
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	[[ ! -e delivered ]]
}

# A program that begins a shield and then looks: what is delivered in it leaves a file.
build_shielded() {
	cat >shielded.c <<-'SOURCE'
		#include <fcntl.h>
		#include <unistd.h>
		#include <invctl.h>
		int main(void)
		{
			if (inv_shield_begin() != 0)
				return 1;
			close(open("ready-shielded", O_CREAT | O_WRONLY, 0600));
			while (inv_sleep(20000000) == 0)
				;
			close(open("delivered", O_CREAT | O_WRONLY, 0600));
			return 1;
		}
	SOURCE
	# A program over a sanitized library needs the sanitizer's runtime itself.
	local sanitize=()
	[[ $BUILD != *-address ]] || sanitize=("-fsanitize=address,undefined")
	"${CC:-cc}" -std=c11 "${sanitize[@]}" -I "$ROOT/include" shielded.c -o shielded \
		-L "$BUILD" -linvctl "-Wl,-rpath,$BUILD"
}

# An action that shields itself from its start until the file "end" is there, then looks,
# and exits with 7 where it is told; a SIGTERM leaves the file "signalled".
build_shielding() {
	cat >shielding.c <<-'SOURCE'
		#include <errno.h>
		#include <fcntl.h>
		#include <invctl.h>
		#include <signal.h>
		#include <unistd.h>
		static void on_signal(int signum)
		{
			(void)signum;
			close(open("signalled", O_CREAT | O_WRONLY, 0600));
		}
		int main(void)
		{
			signal(SIGTERM, on_signal);
			if (inv_shield_begin() != 0)
				return 1;
			close(open("ready", O_CREAT | O_WRONLY, 0600));
			while (access("end", F_OK) != 0)
				if (inv_check() != 0 || inv_sleep(20000000) == -ECANCELED)
					return 2;
			if (inv_shield_end() != 0)
				return 3;
			while (access("signalled", F_OK) != 0)
				if (inv_check() == -ECANCELED)
					return 7;
			return 8;
		}
	SOURCE
	# A program over a sanitized library needs the sanitizer's runtime itself.
	local sanitize=()
	[[ $BUILD != *-address ]] || sanitize=("-fsanitize=address,undefined")
	"${CC:-cc}" -std=c11 "${sanitize[@]}" -I "$ROOT/include" shielding.c -o shielding \
		-L "$BUILD" -linvctl "-Wl,-rpath,$BUILD"
}

@test "inside a shield a request waits, cancel --signal too; its end lets both through" {
	build_shielding
	start ./shielding
	wait_for ready
	"$INVCTL" cancel "$ID"
	run -119 "$INVCTL" cancel --wait=300ms "$ID"
	assert_equal "$(field "$ID" '[.status, .shielded, .cancel.state] | @json')" '["running",true,"requested"]'
	touch end
	ended_with 122
	assert_equal "$(field "$ID" .exitStatus)" 7
	rm end ready
	start ./shielding
	wait_for ready
	run -119 "$INVCTL" cancel --signal --wait=300ms "$ID"
	[[ ! -e signalled ]]
	touch end
	ended_with 122
}

@test "--kill-after and cancel --kill override a shield" {
	build_shielding
	start --kill-after=100ms ./shielding
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 137
	rm ready
	start ./shielding
	wait_for ready
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	[[ ! -e signalled ]]
}

@test "an action that forks all the time is killed to the last process" {
	local seconds
	seconds=$(odd_seconds)
	start sh -c "trap '' TERM; touch ready; while :; do sleep $seconds & sleep 0.01; done"
	wait_for ready
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	no_sleeper "$seconds"
}

@test "--no-kill refuses cancel --kill with 118, and is still asked" {
	start --no-kill sh -c 'trap "" TERM; touch ready; while [ ! -e go ]; do sleep 0.02; done'
	wait_for ready
	run -118 "$INVCTL" cancel --kill "$ID"
	assert_equal "$(field "$ID" .status)" running
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 122
}

@test "leaves first: the parent's signal waits until what is nested has ended" {
	start sh -c "trap 'echo parent >>order; exit 0' TERM
		'$INVCTL' run sh -c \"until ! '$INVCTL' check; do touch ready; sleep 0.02; done
			touch asked; while [ ! -e go ]; do sleep 0.02; done; echo leaf >>order\" &
		while :; do sleep 0.02; done"
	wait_for ready
	"$INVCTL" cancel "$ID"
	wait_for asked
	[[ ! -e order ]]
	touch go
	ended_with 122
	assert_equal "$(xargs <order)" "leaf parent"
}

@test "--nested-wait bounds how long the parent's signal waits" {
	start --nested-wait=100ms sh -c "trap 'echo parent >>order; exit 0' TERM
		'$INVCTL' run --id=$(new_id | tee nested) sh -c \"$(look)
			touch ready; while [ ! -e go ]; do sleep 0.02; done\" &
		while :; do sleep 0.02; done"
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 122
	assert_equal "$(cat order)" parent
	# The nested one is a cooperative action that was asked, and no process of its parent.
	assert_equal "$(field "$(cat nested)" .status)" running
	assert_equal "$(field "$(cat nested)" .cancel.cause)" parent
	touch go
	"$INVCTL" wait "$(cat nested)"
}

@test "a nested run that its parent's request ended counts as a look of the parent" {
	start sh -c "trap 'touch signalled' TERM
		'$INVCTL' run sh -c 'touch ready; sleep 100'; echo \$? >nested
		'$INVCTL' check; echo \$? >own; exit 4"
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 122
	assert_equal "$(cat nested own | xargs)" "122 122"
	[[ ! -e signalled ]]
}

@test "a loop of runs stops after one request" {
	start sh -ec "for i in 1 2 3 4 5; do echo \$i >>turns; '$INVCTL' run sleep 100; done; touch all"
	wait_for turns
	retry field_is "$ID" .status running
	retry nested_runs
	"$INVCTL" cancel "$ID"
	ended_with 122
	assert_equal "$(cat turns)" 1
	[[ ! -e all ]]
}

nested_runs() {
	[[ $("$INVCTL" list --json | jq --arg id "$ID" \
		'map(select(.parent == $id and .status == "running")) | length') == 1 ]]
}

@test "cancel --only leaves what is nested alone" {
	start --nested-wait=50ms sh -c "'$INVCTL' run --id=$(new_id | tee nested) \
		sh -c 'touch ready; while [ ! -e go ]; do sleep 0.02; done' & wait"
	wait_for ready
	"$INVCTL" cancel --only "$ID"
	ended_with 122
	assert_equal "$(field "$(cat nested)" .status)" running
	assert_equal "$(field "$(cat nested)" .cancel)" null
	touch go
	"$INVCTL" wait "$(cat nested)"
}

@test "cancel --kill reaches what is nested, by its own supervisors" {
	start sh -c "trap '' TERM
		'$INVCTL' run --id=$(new_id | tee nested) sh -c 'trap \"\" TERM; touch ready
			while :; do sleep 0.02; done'"
	wait_for ready
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	run -137 "$INVCTL" wait "$(cat nested)"
}

@test "a stopped nested supervisor does not outlive a kill" {
	start sh -c "trap '' TERM
		'$INVCTL' run --id=$(new_id | tee nested) sh -c 'touch ready; sleep 100'"
	wait_for ready
	local supervisor
	supervisor=$(ps -o ppid= -p "$(field "$(cat nested)" .pid)" | xargs)
	kill -STOP "$supervisor"
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	process_is_gone "$supervisor"
}

@test "a detached run without a parent is no part of what it was started in" {
	start sh -c "'$INVCTL' run -d --no-parent sleep 100 >other; touch ready; sleep 100"
	wait_for ready
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	assert_equal "$(field "$(cat other)" .status)" running
	"$INVCTL" cancel --wait=20 "$(cat other)"
}

@test "processes that only name the invocation in their environment are not signalled" {
	start sleep 100
	INVCTL_ID=$ID sleep 100 3>&- &
	local outsider=$!
	STARTED_PIDS+=("$outsider")
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	run ! process_is_gone "$outsider"
}

@test "what the process of run had as children before the command gets no signal: a logger keeps the log's end" {
	ID=$(new_id)
	# A reader that would end by SIGTERM before it has read the end.
	bash -c 'exec "$INVCTL" run --id="$0" sh -c "
			trap \"echo the end; exit 0\" TERM; touch ready; while :; do sleep 0.02; done" \
		> >(bash -c "touch reads; cat >log; touch logged")' "$ID" 3>&- &
	RUN_PID=$!
	STARTED_PIDS+=("$RUN_PID")
	wait_for ready reads
	"$INVCTL" cancel "$ID"
	ended_with 122
	wait_for logged
	assert_equal "$(cat log)" "the end"
}

@test "run does not wait for a logger that ignores TERM and reads until run's own end" {
	ID=$(new_id)
	bash -c 'exec "$INVCTL" run --id="$0" sh -c "touch ready; sleep 1000" \
		> >(trap "" TERM; touch reads; exec cat >log)' "$ID" 3>&- &
	RUN_PID=$!
	STARTED_PIDS+=("$RUN_PID")
	wait_for ready reads
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "a job that the shell had before it became run is neither signalled nor killed, nor its children" {
	ID=$(new_id)
	bash -c '(sleep 1000 & echo $! >grandchild; touch forked; wait) &
		echo $! >child
		while [ ! -e forked ]; do sleep 0.02; done
		exec "$INVCTL" run --id="$0" sh -c "trap \"\" TERM; touch ready; while :; do sleep 0.02; done"' \
		"$ID" 3>&- &
	RUN_PID=$!
	STARTED_PIDS+=("$RUN_PID")
	wait_for ready
	STARTED_PIDS+=("$(cat child)" "$(cat grandchild)")
	# It loses its parent, and is a child of run then.
	kill -KILL "$(cat child)"
	retry process_is_gone "$(cat child)"
	"$INVCTL" cancel "$ID"
	retry cancel_state_is signalled
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	run ! process_is_gone "$(cat grandchild)"
}

@test "under another PID namespace's /proc the command alone is signalled, and no stranger" {
	unshare --pid --fork true || skip "unshare(1) can't make a PID namespace here"
	# The strangers' pids are small, as are those of the processes that this /proc shows.
	run -0 unshare --pid --fork --kill-child sh -c '
		strangers=
		for i in 1 2 3 4; do sleep 1000 & strangers="$strangers $!"; done
		"$INVCTL" run --timeout=50ms sleep 1000 2>&1
		[ $? = 124 ] && kill -0 $strangers'
	assert_output --partial "can't be listed (/proc is another PID namespace's)"
}

@test "a broker that was started within an action outlives its cancel" {
	start sh -c "touch ready; while [ ! -e go ]; do sleep 0.02; done
		'$INVCTL' run true; touch restarted; sleep 100"
	wait_for ready
	end_broker
	touch go
	wait_for restarted
	local broker
	retry broker_serves
	broker=$(broker_pid)
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	run ! process_is_gone "$broker"
}

@test "an action does not escape by naming another live run in its environment" {
	local seconds other
	seconds=$(odd_seconds)
	start sleep 1000
	other=$ID
	start --kill-after=100ms -- sh -c "trap '' TERM
		INVCTL_ID=$other setsid sh -c \"trap '' TERM; touch ready; sleep $seconds\" & wait; wait"
	wait_for ready
	"$INVCTL" cancel "$ID"
	ended_with 137
	no_sleeper "$seconds"
	field_is "$other" .status running
}

@test "an action does not escape by naming a nested run whose supervisor lives" {
	local seconds
	seconds=$(odd_seconds)
	start -- sh -c "'$INVCTL' run --no-kill --signal=none --id-file=nested sleep 1000 &
		while [ ! -s nested ]; do sleep 0.02; done
		(INVCTL_ID=\$(cat nested) setsid sleep $seconds & touch ready); wait"
	wait_for ready
	"$INVCTL" cancel --kill "$ID"
	retry no_sleeper "$seconds"
	kill -KILL "$(field "$(cat nested)" .pid)"
	ended_with 137
}

@test "an action does not escape by the name of the broker" {
	local sleep
	sleep=$(command -v sleep)
	start -- sh -c "cp '$sleep' invbroker; env -u INVCTL_ID setsid ./invbroker 1000 & echo \$! >fake; wait"
	retry test -s fake
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	retry process_is_gone "$(cat fake)"
}

@test "a broker of another table that was started within an action outlives its cancel" {
	start -- sh -c "'$INVCTL' --table=$INVCTL_TABLE-other run true; touch ready; sleep 1000"
	wait_for ready
	local broker
	broker=$(INVCTL_TABLE=$INVCTL_TABLE-other broker_pid)
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	run ! process_is_gone "$broker"
	INVCTL_TABLE=$INVCTL_TABLE-other teardown_table
}

@test "what a nested run has left in the background is its own once its supervisor is killed" {
	local nested
	start -- sh -c "'$INVCTL' run --id-file=nested sh -c 'setsid sh -c \"trap : TERM
		echo \\\$\\\$ >left; while :; do sleep 0.02; done\" & wait' & wait; sleep 1000"
	retry test -s left
	nested=$(cat nested)
	kill -KILL "$(field "$nested" .ownerPid)"
	retry field_is "$nested" .ownerPid null
	STARTED_PIDS+=("$(cat left)")
	# That request is for the outer one alone.
	"$INVCTL" cancel --only "$ID"
	ended_with 122
	field_is "$nested" .status running
	run ! process_is_gone "$(cat left)"
	"$INVCTL" cancel --kill --wait=20s "$nested" || true
	retry process_is_gone "$(cat left)"
}

@test "the supervisor killed: what descends from the command is the action's, whatever it names" {
	local seconds other
	seconds=$(odd_seconds)
	start sleep 1000
	other=$ID
	start -- sh -c "INVCTL_ID=$other sleep $seconds & touch ready; wait"
	wait_for ready
	kill -KILL "$RUN_PID"
	retry process_is_gone "$RUN_PID"
	run -0 "$INVCTL" cancel --kill --wait=20s "$ID"
	retry no_sleeper "$seconds"
	field_is "$other" .status running
}

# takes_over ID: the broker has taken it over, and said so in the log of its state directory.
takes_over() {
	grep -q "$1 .*has lost its supervisor" "$INVCTL_STATE_DIR/$INVCTL_TABLE/broker.log"
}

@test "the supervisor killed: a stop command in another state directory is found by the action's environment" {
	"$INVBROKER" 3>&-
	INVCTL_STATE_DIR=$PWD/elsewhere start --stop='touch stopped; kill "$(cat pid)"' -- \
		sh -c 'echo $$ >pid; exec sleep 1000'
	wait_for pid "elsewhere/$INVCTL_TABLE/$ID.run"
	kill -KILL "$RUN_PID"
	retry takes_over "$ID"
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	[[ -e stopped ]]
	retry test ! -e "elsewhere/$INVCTL_TABLE/$ID.run"
}

@test "the supervisor killed: where its stop command can't be read, the signal is sent, and the log says so" {
	"$INVBROKER" 3>&-
	start --stop='touch stopped' -- sleep 1000
	rm "$INVCTL_STATE_DIR/$INVCTL_TABLE/$ID.run"
	kill -KILL "$RUN_PID"
	retry takes_over "$ID"
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	run -122 "$INVCTL" wait "$ID"
	[[ ! -e stopped ]]
	grep -q "stop command of invocation $ID .*can't be read.*signal 15 is sent instead" \
		"$INVCTL_STATE_DIR/$INVCTL_TABLE/broker.log"
}

broker_serves() {
	[[ -n $(broker_pid) ]]
}

@test "a removed table harms nobody: the action goes on, and run ends it" {
	start sh -c 'touch ready; while [ ! -e go ]; do sleep 0.02; done; exit 6'
	wait_for ready
	rm "/dev/shm/$INVCTL_TABLE"
	touch go
	ended_with 6
}

@test "a truncated table does not stop run from supervising" {
	start sh -c 'trap "exit 0" TERM; touch ready; while :; do sleep 0.02; done' 2>messages
	wait_for ready
	end_broker
	truncate -s 0 "/dev/shm/$INVCTL_TABLE"
	retry grep -q "is gone" messages
	kill -TERM "$RUN_PID"
	ended_with 0
}

@test "an action goes on when only run is killed, and can be cancelled" {
	local seconds
	seconds=$(odd_seconds)
	start sh -c "setsid sleep $seconds & touch ready; sleep $seconds"
	wait_for ready
	kill -KILL "$RUN_PID"
	retry process_is_gone "$RUN_PID"
	assert_equal "$(field "$ID" .status)" running
	"$INVCTL" cancel --wait=20 "$ID"
	assert_equal "$(field "$ID" .status)" cancelled
	retry no_sleeper "$seconds"
}

#!/usr/bin/env bats
# invbroker after deaths: of a broker the next one adopts the table, of a supervisor it takes the
# action over, of an owner it records the end.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers
load broker

@test "a new broker adopts the live table after SIGTERM, and after SIGKILL" {
	serve
	start sleep 1000
	kill -TERM "$BROKER"
	wait "$BROKER"
	is_in_log 'stays for the next broker'
	field_is "$ID" .status running
	serve
	is_in_log "took over table '$INVCTL_TABLE'.* 1 live"
	kill -KILL "$BROKER"
	wait "$BROKER" || true
	serve
	field_is "$ID" .status running
	run -0 "$INVCTL" cancel "$ID"
	run_ends_with 122
}

@test "with the broker killed a cancel still works" {
	serve
	start sleep 1000
	kill -KILL "$BROKER"
	run -0 env INVCTL_AUTOSTART=0 "$INVCTL" cancel --wait=20s "$ID"
	run_ends_with 122
}

@test "the supervisor killed: the action goes on, is listed, and can be cancelled" {
	serve
	start sleep 1000
	kill_supervisor
	retry is_in_log "$ID .*has lost its supervisor"
	field_is "$ID" .status running
	[[ $("$INVCTL" list --json | jq -r '.[].id') == "$ID" ]]
	kill -0 "$ACTION"
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	process_is_gone "$ACTION"
	field_is "$ID" .status cancelled
	run -122 "$INVCTL" wait "$ID"
}

@test "the supervisor killed: processes that left the session are signalled as well" {
	serve
	start sh -c 'setsid sh -c "echo \$\$ >far.tmp; mv far.tmp far; exec sleep 1000" & wait'
	retry test -e far
	local far
	far=$(cat far)
	STARTED_PIDS+=("$far")
	kill_supervisor
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	process_is_gone "$far"
}

@test "the supervisor and the broker killed: cancel starts a broker, which takes over" {
	serve
	start sleep 1000
	kill -KILL "$BROKER"
	wait "$BROKER" || true
	kill_supervisor
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	process_is_gone "$ACTION"
	run -122 "$INVCTL" wait "$ID"
}

@test "the supervisor killed: its deadline is kept" {
	serve
	start --timeout=4s sleep 1000
	kill_supervisor
	run -124 "$INVCTL" wait --timeout=20s "$ID"
	process_is_gone "$ACTION"
	field_is "$ID" .cause deadline
}

@test "the supervisor killed: kill-after is kept" {
	serve
	start --kill-after=200ms sh -c 'trap "" TERM; exec sleep 1000'
	kill_supervisor
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	run -137 "$INVCTL" wait "$ID"
	process_is_gone "$ACTION"
}

@test "the supervisor killed: cancel --kill reaches the action, --no-kill refuses" {
	serve
	start sh -c 'trap "" TERM; exec sleep 1000'
	kill_supervisor
	run -0 "$INVCTL" cancel --kill --wait=20s "$ID"
	run -137 "$INVCTL" wait "$ID"
	start --no-kill sleep 1000
	kill_supervisor
	run -118 "$INVCTL" cancel --kill "$ID"
	kill -0 "$ACTION"
}

@test "the supervisor killed: its stop command is run, in the action's environment" {
	serve
	MARK=here start --stop='echo "$MARK $PWD" >stopped; kill "$(cat pid)"' \
		sh -c 'echo $$ >pid; exec sleep 1000'
	kill_supervisor
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	assert_equal "$(cat stopped)" "here $PWD"
	run -122 "$INVCTL" wait "$ID"
}

@test "the supervisor killed: an action that ends by itself is lost, and wait says 125" {
	serve
	mkfifo gate
	start sh -c 'read -r _ <gate'
	kill_supervisor
	retry is_in_log "$ID .*has lost its supervisor"
	echo >gate
	run -125 "$INVCTL" wait --timeout=20s "$ID"
	field_is "$ID" .cause lost
}

@test "an action that was taken over is taken over by the next broker, too" {
	serve
	start --timeout=5s sleep 1000
	kill_supervisor
	retry is_in_log "$ID .*has lost its supervisor"
	kill -KILL "$BROKER"
	wait "$BROKER" || true
	serve
	field_is "$ID" .status running
	run -124 "$INVCTL" wait --timeout=20s "$ID"
	process_is_gone "$ACTION"
}

@test "many supervisors killed at once: every action is looked after" {
	serve
	local ids=() pids=() pid
	for _ in {1..20}; do
		ID=$(new_id)
		ids+=("$ID")
		"$INVCTL" run --id="$ID" sleep 1000 3>&- &
		pids+=("$!")
	done
	for ID in "${ids[@]}"; do
		retry field_is "$ID" .status running
		STARTED_PIDS+=("$(field "$ID" .pid)")
	done
	kill -KILL "${pids[@]}"
	run -0 "$INVCTL" cancel --all --wait=20s
	for ID in "${ids[@]}"; do
		run -122 "$INVCTL" wait "$ID"
	done
	for pid in "${STARTED_PIDS[@]:1}"; do
		process_is_gone "$pid"
	done
}

@test "supervisor and action killed: lost, and waiters wake" {
	serve
	start sleep 1000
	"$INVCTL" wait "$ID" 3>&- &
	local waiter=$! status=0
	kill -KILL "$RUN_PID" "$(field "$ID" .pid)"
	wait "$waiter" || status=$?
	assert_equal "$status" 125
	field_is "$ID" .cause lost
}

@test "an owner that is killed: its invocation is lost, its event gone" {
	serve
	local id
	id=$(new_id)
	cat >owner.c <<-'SOURCE'
		#include <invctl.h>
		#include <stdio.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			inv_invocation *invocation;
			uint8_t id[16];

			(void)argc;
			if (inv_id_parse(argv[1], id) != 0 ||
			    inv_invocation_begin(NULL, id, "owner", &invocation) != 0)
				return 1;
			puts("begun");
			fflush(stdout);
			pause();
			return 0;
		}
	SOURCE
	# A program over a sanitized library needs the sanitizer's runtime itself.
	local sanitize=()
	[[ $BUILD != *-address ]] || sanitize=("-fsanitize=address,undefined")
	"${CC:-cc}" -std=c11 "${sanitize[@]}" -I "$ROOT/include" owner.c -o owner -L "$BUILD" \
		-linvctl "-Wl,-rpath,$BUILD"
	./owner "$id" >begun 3>&- &
	local owner=$!
	STARTED_PIDS+=("$owner")
	retry grep -q begun begun
	field_is "$id" .status running
	"$INVCTL" wait "$id" 3>&- &
	local waiter=$! status=0
	kill -KILL "$owner"
	wait "$waiter" || status=$?
	assert_equal "$status" 125
	field_is "$id" .cause lost
}

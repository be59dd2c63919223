#!/usr/bin/env bats
# invctl cancel: asks all that it can, reports each that it can't, and exits with
# the first failure.

load helpers

# A command that looks, and then takes a request only when it is let: it goes on
# until the file "let" is there.
start_stubborn() {
	rm -f let
	start "$@" -- sh -c '"$INVCTL" check --peek; until [ -e let ]; do sleep 0.02; done; "$INVCTL" check'
	retry field_is "$ID" .cooperative true
}

# $ID is that of one that has ended.
finished_one() {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" true
}

@test "without a table it is 113" {
	run -113 "$INVCTL" cancel abcd
	assert_output --partial "there is no table '$INVCTL_TABLE'"
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "asks a command that does not look by signal, and records who, why and when" {
	start -- sleep 1000
	run -0 --separate-stderr "$INVCTL" cancel --reason="gas leak" "$ID"
	[[ -z $output && -z $stderr ]]
	ended_with 122
	[[ $(field "$ID" .status) == cancelled ]]
	[[ $(field "$ID" .cancel.cause) == requested ]]
	[[ $(field "$ID" .cancel.reason) == "gas leak" ]]
	[[ $(field "$ID" .cancel.state) == signalled ]]
	[[ $(field "$ID" .cancel.actor.uid) == "$(id -u)" ]]
	[[ $(field "$ID" .cancel.actor.command) == invctl ]]
	[[ $(field "$ID" .cancel.time) == 20??-??-??T??:??:??.??????[+-]??:?? ]]
}

@test "asks a cooperative one by its event alone" {
	start -- sh -c '"$INVCTL" sleep inf; exit 7'
	retry field_is "$ID" .cooperative true
	run -0 "$INVCTL" cancel "$ID"
	ended_with 122
	[[ $(field "$ID" .cancel.state) == delivered ]]
	[[ $(field "$ID" .exitStatus) == 7 ]]
}

@test "--wait returns when they have ended" {
	start -- sleep 1000
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	[[ $(field "$ID" .status) == cancelled ]]
}

@test "--wait=D is 119 where one still runs, and the request stands" {
	start_stubborn
	run -119 "$INVCTL" cancel --wait=50ms "$ID"
	assert_output --partial "still runs"
	field_is "$ID" .cancel.state requested
	touch let
	ended_with 122
}

@test "--signal signals a cooperative one; --signal=S with that signal" {
	start_stubborn
	run -0 "$INVCTL" cancel --signal --wait=20s "$ID"
	ended_with 122
	[[ $(field "$ID" .cancel.state) == signalled ]]

	for name in USR1 SIGUSR1 usr1 10; do
		start_stubborn
		run -0 "$INVCTL" cancel --signal=$name --wait=20s "$ID"
		[[ $(field "$ID" .signal) == 10 ]]
	done
}

@test "--signal that is none, and SIGKILL by the back door, are 2" {
	run -2 "$INVCTL" cancel --signal=NONSENSE abcd
	run -2 "$INVCTL" cancel --signal=0 abcd
	run -2 "$INVCTL" cancel --signal=99 abcd
	run -2 "$INVCTL" cancel --signal=KILL abcd
	assert_output --partial "--kill"
	run -2 "$INVCTL" cancel --signal=9 abcd
}

@test "--kill kills, and is refused where run --no-kill says so" {
	start_stubborn
	run -0 "$INVCTL" cancel --kill --wait=20s "$ID"
	ended_with 137
	[[ $(field "$ID" .cancel.state) == killed ]]

	start_stubborn --no-kill
	run -118 "$INVCTL" cancel --kill "$ID"
	assert_output --partial "$ID"
	[[ $(field "$ID" .status) == running ]]
	"$INVCTL" cancel "$ID"
	touch let
	ended_with 122
}

@test "finished is 115, with --idempotent 0; unknown stays 113" {
	finished_one
	run -115 "$INVCTL" cancel "$ID"
	assert_output --partial "$ID has already finished"
	run -0 "$INVCTL" cancel --idempotent "$ID"
	run -113 "$INVCTL" cancel --idempotent "$(new_id)"
}

@test "several: all are tried, each failure is told, the first one counts" {
	local finished first
	finished_one
	finished=$ID
	start -- sleep 1000
	first=$ID
	start -- sleep 1000
	run -115 "$INVCTL" cancel --wait=20s "$first" "$finished" nobody "$ID"
	assert_output --partial "$finished has already finished"
	assert_output --partial "no invocation 'nobody'"
	[[ $(field "$first" .status) == cancelled ]]
	[[ $(field "$ID" .status) == cancelled ]]
	run -113 "$INVCTL" cancel nobody "$finished"
}

# The story of $ID, which is named sh: its lines match these patterns, each one line, and no more.
story_is() {
	local line i=0
	assert_equal ${#lines[@]} $#
	for line; do
		assert_line --index $((i++)) --regexp "^$line\$"
	done
}

@test "-v tells the story of each: requested, delivered, ended, led by the name" {
	local short
	start_stubborn
	short=${ID:0:8}
	run -0 --separate-stderr "$INVCTL" cancel -v "$ID"
	story_is "sh \\($short\\): requested; last check [0-9.]+ s ago"
	"$INVCTL" cancel -v --wait=20s "$ID" >story 3>&- &
	retry grep -q "already requested" story
	touch let
	wait $!
	run -0 cat story
	assert_line --index 0 --regexp "^sh \\($short\\): already requested [0-9.]+ s ago; last check [0-9.]+ s ago$"
	assert_line --index 1 --regexp '^sh: delivered( at once| after [0-9.]+ s)?(, cleaning up)?$'
	assert_line --regexp '^sh: ended (at once|after [0-9.]+ s): cancelled \(122\)$'
	ended_with 122
}

@test "-v: signalled, killed, had already ended" {
	start -- sleep 1000
	run -0 "$INVCTL" cancel -v --wait=20s "$ID"
	assert_line --index 0 --regexp "^sleep \\(${ID:0:8}\\): requested; it has never checked$"
	assert_line --index 1 --regexp '^sleep: signalled'
	assert_line --regexp '^sleep: ended .*: cancelled \(122\)$'
	run -0 "$INVCTL" cancel -v --idempotent "$ID"
	story_is "sleep \\(${ID:0:8}\\): had already ended: cancelled \\(122\\)"
	start_stubborn
	run -0 "$INVCTL" cancel -v --kill --wait=20s "$ID"
	assert_line --regexp '^sh: killed'
	assert_line --regexp '^sh: ended .*: cancelled \(137\)$'
	refute_output --partial "next:"
}

@test "-v: two of one name are told apart by their ids in every line" {
	start --name=same -- sleep 1000
	start --name=same -- sleep 1000
	run -0 "$INVCTL" cancel -v --wait=20s --name=same
	refute_line --regexp '^same: '
	assert_line --regexp "^same \\(${ID:0:8}\\): ended "
}

@test "-v: a nested run that comes back is named, and is no last check" {
	start --name=outer -- sh -c '"$INVCTL" run --name=inner sleep 1000; until [ -e let ]; do sleep 0.02; done; exit 3'
	retry inner_is running
	"$INVCTL" cancel outer
	retry inner_is cancelled
	run -0 "$INVCTL" cancel -v outer
	story_is "outer \\(${ID:0:8}\\): already requested [0-9.]+ s ago; its nested run inner came back [0-9.]+ s ago"
	touch let
	ended_with 122
}

@test "-v and the sentence of --wait name a stronger step only where it would be carried out" {
	start_stubborn
	stop_process "$RUN_PID"
	run -0 "$INVCTL" cancel -v "$ID"
	story_is "sh \\(${ID:0:8}\\): requested; its supervisor is stopped; next: kill -CONT $RUN_PID, or invctl cancel --kill ${ID:0:8}"
	kill -CONT "$RUN_PID"
	run -119 "$INVCTL" cancel --wait=10ms "$ID"
	assert_output --partial "still runs; next: invctl cancel --signal ${ID:0:8}"
	touch let
	ended_with 122

	start_ignoring --no-kill
	"$INVCTL" cancel "$ID"
	retry field_is "$ID" .cancel.state signalled
	run -119 "$INVCTL" cancel --signal --wait=10ms "$ID"
	assert_output --partial "there is no stronger step: it was run with --no-kill"
	touch let
	ended_with 122
}

@test "an action that was signalled gets no second signal: cancel says so, and what is next" {
	local next="next: invctl cancel --signal"
	start_ignoring
	run -0 --separate-stderr "$INVCTL" cancel "$ID"
	[[ -z $output && -z $stderr ]]
	retry field_is "$ID" .cancel.state signalled
	run -0 --separate-stderr "$INVCTL" cancel "$ID"
	[[ -z $output && $stderr =~ ^"invctl: 'sh' was already signalled "[0-9.]+" s ago; $next ${ID:0:8}"$ ]]
	run -0 --separate-stderr "$INVCTL" cancel -v "$ID"
	[[ -z $stderr ]]
	story_is "sh \\(${ID:0:8}\\): already requested [0-9.]+ s ago; already signalled [0-9.]+ s ago; $next ${ID:0:8}"
	run -0 --separate-stderr "$INVCTL" cancel --signal "$ID"
	[[ -z $stderr ]]
	touch let
	ended_with 122
}

@test "--dry-run prints the targets and what is nested in them, and changes nothing" {
	local outer inner
	start --name=outer -- sh -c '"$INVCTL" run --name=inner sleep 1000; exit 3'
	retry inner_is running
	outer=$ID
	inner=$(inner .id)
	run -0 --separate-stderr "$INVCTL" cancel --dry-run --kill --wait --verbose outer
	assert_output "$outer outer"$'\n'"  $inner inner, nested in outer"
	run -0 "$INVCTL" cancel --dry-run --only outer
	assert_output "$outer outer"
	run -0 "$INVCTL" cancel --dry-run --all
	assert_equal ${#lines[@]} 2
	assert_line "$outer outer"
	assert_line "$inner inner"
	run -0 "$INVCTL" cancel --dry-run --name='none-*'
	assert_output ""
	[[ $(inner .cancel) == null && $(field "$outer" .cancel) == null ]]
	run -113 "$INVCTL" cancel --dry-run missing outer
	assert_output --partial "$outer outer"
	"$INVCTL" cancel outer
	ended_with 122
	run -115 --separate-stderr "$INVCTL" cancel --dry-run "$outer"
	[[ -z $output ]]
	run -0 "$INVCTL" cancel --dry-run --idempotent "$outer"
	assert_output ""
	start_ignoring --no-kill
	run -118 "$INVCTL" cancel --dry-run --kill "$ID"
	run -0 "$INVCTL" cancel --dry-run "$ID"
	assert_output "$ID sh"
	touch let
	ended_with 3
}

@test "descendants are asked too, with --only they are not" {
	start --name=outer -- sh -c '"$INVCTL" check --peek; "$INVCTL" run --name=inner sleep 1000; exit 3'
	retry inner_is running
	run -0 "$INVCTL" cancel --only "$ID"
	inner_is running
	[[ $(inner .cancel) == null ]]
	run -0 "$INVCTL" cancel --wait=20s inner
	inner_is cancelled
	ended_with 122

	start --name=outer -- sh -c '"$INVCTL" check --peek; "$INVCTL" run --name=inner sleep 1000; exit 3'
	retry inner_is running
	run -0 "$INVCTL" cancel --wait=20s outer
	[[ $(inner .cancel.cause) == parent ]]
	ended_with 122
}

# The youngest invocation named inner.
inner() {
	"$INVCTL" list --all --json | jq -r "[.[] | select(.action == \"inner\")] | last | $1"
}

inner_is() {
	[[ $(inner .status) == "$1" ]]
}

@test "a broker is started where none runs, and an orphan is ended by it" {
	start -- sleep 1000
	local action
	action=$(field "$ID" .pid)
	STARTED_PIDS+=("$action")
	end_broker
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	field_is "$ID" .status running
	run -0 "$INVCTL" cancel --wait=10s "$ID"
	retry process_is_gone "$action"
	[[ -n $(broker_pid) ]]
	[[ $(field "$ID" .status) == cancelled ]]
}

@test "without a broker to be had the request is made all the same" {
	start_stubborn
	end_broker
	INVCTL_AUTOSTART=0 run -0 "$INVCTL" cancel "$ID"
	assert_output ""
	field_is "$ID" .cancel.state requested
	touch let
	ended_with 122
}

@test "that nobody acts on it is told, where the supervisor is dead and no broker to be had" {
	start -- sleep 1000
	STARTED_PIDS+=("$(field "$ID" .pid)")
	end_broker
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	INVCTL_AUTOSTART=0 run -0 "$INVCTL" cancel "$ID"
	assert_output --partial "no broker serves table '$INVCTL_TABLE', and INVCTL_AUTOSTART=0 forbids to start one"
	assert_output --partial "'invbroker --table=$INVCTL_TABLE'"
	field_is "$ID" .cancel.state requested
}

supervisor_state_is() { # STATE
	grep -q "^State:[[:space:]]*$1" "/proc/$RUN_PID/status"
}

@test "a supervisor that is stopped: cancel and cancel --wait name it, and how it goes on" {
	start -- sleep 1000
	stop_process "$RUN_PID"
	retry supervisor_state_is T
	run -0 --separate-stderr "$INVCTL" cancel "$ID"
	[[ -z $output && $stderr == *"supervisor of invocation $ID is stopped"*"'kill -CONT $RUN_PID'"* ]]
	run -119 --separate-stderr "$INVCTL" cancel --wait=100ms "$ID"
	[[ $stderr == *"supervisor of invocation $ID is stopped"*"'kill -CONT $RUN_PID'"*"still runs"* ]]
	kill -CONT "$RUN_PID"
	ended_with 122
}

@test "a refusal of SIGKILL by --no-kill names that alone, and what signals" {
	start --no-kill -- sleep 1000
	run -118 "$INVCTL" cancel --kill "$ID"
	assert_output --partial "was run with --no-kill"
	assert_output --partial "'invctl cancel --signal ${ID:0:8}'"
	refute_output --partial "program"
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	ended_with 122
}

@test "--kill and --signal together are a usage error" {
	start -- sleep 1000
	run -2 "$INVCTL" cancel --kill --signal "$ID"
	run -2 "$INVCTL" cancel --signal=INT --kill "$ID"
	assert_output --partial "exclude each other"
	field_is "$ID" .cancel null
}

@test "it works while the broker is stopped" {
	start -- sleep 1000
	stop_process "$(broker_pid)"
	run -0 "$INVCTL" cancel --wait=10s "$ID"
	ended_with 122
	kill -CONT "$(broker_pid)"
}

@test "with the supervisor dead and the broker stopped the sentence names the broker" {
	start -- sleep 1000
	local broker
	broker=$(broker_pid)
	stop_process "$broker"
	kill -KILL "$RUN_PID"
	retry process_is_gone "$RUN_PID"
	run -119 "$INVCTL" cancel --wait=100ms "$ID"
	assert_output --partial "'kill -CONT $broker'"
	kill -CONT "$broker"
	run -0 "$INVCTL" cancel --idempotent --wait=20s "$ID"
	[[ $(field "$ID" .status) == cancelled ]]
}

@test "the actor is the calling script, and the terminal it was typed at" {
	start sleep 1000
	printf '#!/bin/sh\n"$INVCTL" cancel -r "coolant is low" "$1"\nexit\n' >alarm.sh
	chmod +x alarm.sh
	run -0 ./alarm.sh "$ID"
	run -0 "$INVCTL" show --json "$ID"
	run -0 jq -r '.cancel | .actor.script, .actor.terminal, .actor.address, .reason' <<<"$output"
	assert_output "$(printf 'alarm.sh\nnull\nnull\ncoolant is low')"
	run -122 "$INVCTL" wait "$ID"
	start sleep 1000
	# script(1) gives it a terminal.
	run -0 script -qec "'$INVCTL' cancel $ID" /dev/null
	run -0 "$INVCTL" show --json "$ID"
	run -0 jq -r '.cancel.actor | .script, .terminal' <<<"$output"
	assert_line --index 0 null
	assert_line --index 1 --regexp '^pts/[0-9]+$'
}

# A pair: both wait, and clean up by a sleep that a second request would end too.
start_pair() {
	cat >pair.sh <<'EOF'
"$INVCTL" sleep 1000
echo asked >>"$1.txt"
"$INVCTL" sleep 0.2 || echo asked >>"$1.txt"
wait
exit 122
EOF
	rm -f outer.txt inner.txt
	start --name=outer -- sh -c '"$INVCTL" run --name=inner sh pair.sh inner & . ./pair.sh' sh outer
	retry inner_is running
	retry pair_sleeps
}

pair_sleeps() {
	[[ $("$INVCTL" list --json | jq '[.[] | select(.cooperative)] | length') == 2 ]]
}

@test "one command asks each of nested ones once, however it reaches them" {
	for _ in {1..5}; do
		start_pair
		run -0 "$INVCTL" cancel --all --wait=20s
		ended_with 122
		run cat outer.txt inner.txt
		assert_output "$(printf 'asked\nasked')"
	done
}

@test "a SIGTERM to every one of nested 'run's, as an init system sends it, is one request" {
	for _ in {1..5}; do
		start_pair
		kill -TERM "$RUN_PID" "$(inner .ownerPid)"
		ended_with 122
		run cat outer.txt inner.txt
		assert_output "$(printf 'asked\nasked')"
	done
}

@test "finishing is 115; --wait waits for its end, and -v tells it" {
	start --finish='until [ -e let ]; do sleep 0.02; done' -- true
	retry field_is "$ID" .state finishing
	run -115 --separate-stderr "$INVCTL" cancel "$ID"
	[[ $stderr == "invctl: invocation $ID is finishing: its command has ended; 'invctl show $ID' tells how" ]]
	run -115 "$INVCTL" cancel --dry-run "$ID"
	assert_output --partial "is finishing"
	"$INVCTL" cancel -v --wait=20s --idempotent "$ID" >story 3>&- &
	retry grep -q finishing story
	touch let
	wait $!
	ended_with 0
	run -0 cat story
	story_is "true \\(${ID:0:8}\\): its command had ended, finishing" "true: ended .*: completed \\(0\\)"
}

# The requests of an invocation: what is recorded as its delivered one, and as a later one.
requests_are() { # ID REASON STATE LATER
	[[ $("$INVCTL" show --json "$1" | jq -r '[.cancel.reason, .cancel.state,
		(.laterRequest // {reason: "none"}).reason, (.laterRequest // {state: ""}).state] | join(" ")') == "$2 $3 $4" ]]
}

# An action that ignores SIGTERM, to the file "let".
start_ignoring() {
	rm -f let up
	start "$@" -- sh -c 'trap "" TERM; : >up; until [ -e let ]; do sleep 0.02; done; exit 3'
	retry test -e up
}

@test "what stopped the action stays recorded while it parks: a later request stands beside it" {
	start --name=scan -- sh -c '"$INVCTL" sleep inf; until [ -e let ]; do sleep 0.02; done; exit 3'
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel -r "gas leak" scan
	retry requests_are "$ID" "gas leak" delivered "none "
	"$INVCTL" cancel -r "second thoughts" scan
	requests_are "$ID" "gas leak" delivered "second thoughts requested"
	[[ $("$INVCTL" list --json | jq -r '.[0] | .state, .cancel.reason, .laterRequest.reason') == \
		$'stopping\ngas leak\nsecond thoughts' ]]
	run -0 "$INVCTL" show scan
	assert_line --regexp '^Request .* ago, delivered$'
	assert_line --regexp '^  reason +gas leak$'
	assert_line --regexp '^Later .* ago, not delivered: second thoughts \('
	run -0 "$INVCTL" why --id=scan
	assert_output --partial "requested: gas leak ("
	touch let
	ended_with 122
	requests_are "$ID" "gas leak" delivered "second thoughts requested"
	[[ $(field "$ID" .cause) == requested ]]
	run -0 "$INVCTL" list --all
	assert_output --partial "gas leak"
	run -0 "$INVCTL" why --id=scan
	assert_output --partial "requested: gas leak ("
}

@test "an action that ignores SIGTERM: a later request waits, and cancel --signal is its delivery" {
	start_ignoring
	"$INVCTL" cancel -r one "$ID"
	retry requests_are "$ID" one signalled "none "
	"$INVCTL" cancel -r two "$ID"
	requests_are "$ID" one signalled "two requested"
	"$INVCTL" cancel --signal -r three "$ID"
	retry requests_are "$ID" two signalled "none "
	# Without one that waits, its own request is delivered by the signal.
	for reason in four five six seven; do
		"$INVCTL" cancel --signal -r $reason "$ID"
		retry requests_are "$ID" $reason signalled "none "
	done
	"$INVCTL" cancel -r eight "$ID"
	INVCTL_ID=$ID run -122 "$INVCTL" check
	requests_are "$ID" eight delivered "none "
	touch let
	ended_with 122
	requests_are "$ID" eight delivered "none "
}

@test "cancel --kill is recorded as what ended the action, also after another delivery" {
	for _ in {1..5}; do
		start_ignoring
		"$INVCTL" cancel -r one "$ID"
		retry requests_are "$ID" one signalled "none "
		"$INVCTL" cancel --kill -r two --wait=20s "$ID"
		ended_with 137
		requests_are "$ID" two killed "none "
	done
	# kill-after belongs to the request that it counts from.
	start_ignoring --kill-after=0.5s
	"$INVCTL" cancel -r one "$ID"
	retry requests_are "$ID" one signalled "none "
	"$INVCTL" cancel -r two "$ID"
	ended_with 137
	requests_are "$ID" one killed "two requested"
}

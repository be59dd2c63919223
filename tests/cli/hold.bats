#!/usr/bin/env bats
# Contract 5, hold and release: nothing new starts, `run` says why, `--wait-hold` waits; a hold survives
# its broker, its table and the machine, and a release does not come back.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers
load namespaces

teardown() {
	end_machine
	teardown_table
}

hold_is() { # NOTE
	[[ $("$INVCTL" status --json | jq -r '.hold.note // "none"') == "$1" ]]
}

not_held() {
	[[ $("$INVCTL" status --json | jq .hold) == null ]]
}

copy() {
	echo "$INVCTL_STATE_DIR/$INVCTL_TABLE/hold"
}

# As a restart of the machine: no broker, an empty /dev/shm.
restart_machine() {
	end_broker
	rm -f "/dev/shm/$INVCTL_TABLE"
}

@test "a run under a hold exits with 118, and says note, user, age and remedy; it leaves no record" {
	run -0 --separate-stderr "$INVCTL" hold 'the laser is open'
	[[ -z $output && -z $stderr ]]
	run -118 --separate-stderr "$INVCTL" run --id-file=id touch started
	[[ $stderr == *"table '$INVCTL_TABLE' is on hold"*"the laser is open ($(id -un)"*"0s ago)"*"'invctl release' releases it"* ]]
	run -118 "$INVCTL" run --detach touch started
	[[ $output == *"the laser is open"* ]]
	[[ ! -e started && ! -e id && $("$INVCTL" list --all --json) == "[]" ]]
	[[ -z $(find "$INVCTL_STATE_DIR" -name '*.run') ]]
}

@test "what is nested in a live invocation still starts" {
	start sh -c 'until [ -e go ]; do sleep 0.02; done; "$INVCTL" run touch started; "$INVCTL" run --no-parent touch alone; echo $? >status'
	"$INVCTL" hold
	touch go
	ended_with 0
	[[ -e started && ! -e alone && $(<status) == 118 ]]
}

@test "status and list --json show who, when and why; list shows it on a terminal alone" {
	printf '%s hold "a note"\n' "$INVCTL" >alarm.sh
	bash alarm.sh
	run -0 "$INVCTL" status --json
	jq -e ".hold.note == \"a note\" and .hold.actor.uid == $EUID and .hold.actor.script == \"alarm.sh\"
		and (.hold.since | length) > 20 and .problems == []" <<<"$output"
	run -0 "$INVCTL" status
	assert_line --regexp '^On hold +a note, by .*: nothing new starts'
	run -0 --separate-stderr "$INVCTL" list
	[[ $output$stderr != *"on hold"* ]]
	run -0 script -qec "$INVCTL list" /dev/null
	assert_line --regexp '^on hold, so nothing new starts: a note \(.* in alarm.sh, [0-9]s ago\)'
}

@test "hold starts a broker where there is none, and needs one to make the table" {
	run -116 env INVCTL_AUTOSTART=0 "$INVCTL" hold
	"$INVCTL" hold
	[[ -n $(broker_pid) ]]
	end_broker
	"$INVCTL" hold 'another note'
	[[ -n $(broker_pid) ]]
	hold_is 'another note'
}

@test "one's own hold gets another note; without a note it stays, and that is said" {
	"$INVCTL" hold first
	run -0 --separate-stderr "$INVCTL" hold
	[[ $stderr == *"on hold already: first ("*"stays as it is"* ]]
	hold_is first
	run -0 --separate-stderr "$INVCTL" hold second
	[[ -z $stderr ]]
	hold_is second
}

@test "another user's hold stays as it is" {
	((EUID == 0)) || skip "only root can be several users"
	"$INVBROKER" --group="$(id -g)" 3>&-
	local place
	place=$(mktemp -d)
	chmod 0755 "$place"
	cp "$INVCTL" "$place"
	env INVCTL_STATE_DIR="$BATS_TEST_TMPDIR" setpriv --reuid=61001 --regid="$(id -g)" --clear-groups \
		"$place/invctl" hold theirs
	run -0 --separate-stderr "$INVCTL" hold ours
	[[ $stderr == *"on hold already: theirs (user 61001"* ]]
	hold_is theirs
	# Any member may release it, and learns whose it was.
	run -0 --separate-stderr "$INVCTL" release
	[[ $stderr == *"which was on hold: theirs (user 61001"* ]]
	rm -rf "$place"
}

@test "release says what it has released; without a hold, or a table, it does nothing" {
	run -0 --separate-stderr "$INVCTL" release
	[[ -z $output && $stderr == *"not on hold"* && ! -e /dev/shm/$INVCTL_TABLE ]]
	"$INVCTL" hold 'the laser is open'
	run -0 --separate-stderr "$INVCTL" release
	[[ -z $output && $stderr == *"released table '$INVCTL_TABLE', which was on hold: the laser is open ("* ]]
	run -0 --separate-stderr "$INVCTL" release
	[[ $stderr == *"is not on hold"* ]]
	run -0 "$INVCTL" run true
}

@test "usage" {
	run -2 "$INVCTL" hold two words
	[[ $output == *"put it in quotes"* ]]
	run -2 "$INVCTL" release scan
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "a hold survives the broker, the table, and the machine" {
	"$INVCTL" hold 'the laser is open'
	[[ $(stat -c %a "$(copy)") == 600 ]]
	local since
	since=$("$INVCTL" status --json | jq .hold.since)
	end_broker
	run -118 "$INVCTL" run true
	end_broker
	restart_machine
	run -118 "$INVCTL" run true
	[[ $output == *"the laser is open ($(id -un)"* ]]
	[[ $("$INVCTL" status --json | jq .hold.since) == "$since" ]]
	# Its broker ends in good order, and nothing lives in the table.
	local broker
	broker=$(broker_pid)
	kill "$broker"
	retry process_is_gone "$broker"
	hold_is 'the laser is open'
	restart_machine
	"$INVCTL" release
	restart_machine
	run -0 "$INVCTL" run true
}

@test "released after a restart of the machine, when there is no table yet" {
	"$INVCTL" hold 'the laser is open'
	restart_machine
	run -0 --separate-stderr "$INVCTL" release
	[[ $stderr == *"released"*"the laser is open"* && ! -e $(copy) ]]
	run -0 "$INVCTL" run true
}

@test "released while the broker is dead: it does not come back" {
	"$INVCTL" hold
	end_broker
	run -0 --separate-stderr env INVCTL_AUTOSTART=0 "$INVCTL" release
	[[ $stderr == *"no broker serves table '$INVCTL_TABLE', so a restart of this machine would undo the release"* ]]
	[[ -e $(copy) ]]
	# The next broker finds the table, which is right.
	run -0 "$INVCTL" run true
	retry test ! -e "$(copy)"
	restart_machine
	run -0 "$INVCTL" run true
	# And where one may be started, release does it.
	"$INVCTL" hold
	end_broker
	run -0 --separate-stderr "$INVCTL" release
	[[ $stderr != *"would undo"* && ! -e $(copy) ]]
}

@test "a broker that is stopped: what a restart of the machine would undo is said, and is a problem" {
	"$INVCTL" run true
	local broker
	broker=$(broker_pid)
	kill -STOP "$broker"
	run -0 --separate-stderr "$INVCTL" hold
	[[ $stderr == *"stopped, so a restart of this machine would undo the hold; 'kill -CONT $broker'"* ]]
	run -118 "$INVCTL" run true
	run -1 "$INVCTL" status --json
	jq -e '.problems[] | select(contains("the broker is stopped, so the hold"))' <<<"$output"
	kill -CONT "$broker"
	retry test -e "$(copy)"
	run -0 "$INVCTL" status
}

@test "a copy that can't be written: the same, and it is written when there is room" {
	"$INVCTL" run true
	mkdir "$(copy)"
	run -0 --separate-stderr "$INVCTL" hold
	[[ $stderr == *"can't store it, so a restart of this machine would undo the hold"* ]]
	run -1 "$INVCTL" status
	[[ $output == *"the broker can't store the hold"* ]]
	grep -q "can't be stored" "$INVCTL_STATE_DIR/$INVCTL_TABLE/broker.log"
	rmdir "$(copy)"
	retry test -f "$(copy)"
	run -0 "$INVCTL" status
}

@test "a copy that is damaged is a hold of which nothing is known" {
	"$INVCTL" hold
	restart_machine
	head -c 20 "$(copy)" >half
	cat half >"$(copy)"
	run -118 "$INVCTL" run true
	[[ $output == *"its stored copy is damaged (by whom is not known"* ]]
	run -1 "$INVCTL" status
	[[ $output == *"who put the table on hold is not known, as its stored copy is damaged"* ]]
	run -0 "$INVCTL" release
	run -0 "$INVCTL" run true
}

@test "--cancel-all requests all that runs to stop, with the cause hold" {
	start --name=outer sh -c '"$INVCTL" run --name=inner sleep 1000'
	retry eval '[[ $("$INVCTL" list -q | wc -l) == 2 ]]'
	run -0 --separate-stderr "$INVCTL" hold --cancel-all 'coolant is low'
	[[ -z $output$stderr ]]
	ended_with 122
	"$INVCTL" list --all --json |
		jq -e 'length == 2 and all(.cancel.cause == "hold" and .cancel.reason == "coolant is low")'
	run -118 "$INVCTL" run true
}

# What waits for the hold, in the background, with its stderr in `said`; WAITING is its pid.
start_waiting() { # OPTION... COMMAND...
	"$INVCTL" run --wait-hold "$@" >out 2>said 3>&- &
	WAITING=$!
	export RUN_PID=$WAITING
	STARTED_PIDS+=("$WAITING")
	retry grep -q 'waits until the hold' said
}

@test "--wait-hold waits, says once for what, and starts at the release" {
	"$INVCTL" hold 'the laser is open'
	start_waiting --name=scan touch started
	[[ ! -e started && -z $("$INVCTL" list -q) ]]
	"$INVCTL" hold 'still open'
	"$INVCTL" release
	ended_with 0
	[[ -e started && $(wc -l <said) == 1 ]]
	[[ $(<said) == "invctl: 'scan' waits until the hold of table '$INVCTL_TABLE' is released: the laser is open ("* ]]
	run -0 --separate-stderr "$INVCTL" run --wait-hold true
	[[ -z $stderr ]]
}

@test "a request ends the wait: not started, no record" {
	local signal
	"$INVCTL" hold
	for signal in TERM HUP; do
		start_waiting touch started
		kill "-$signal" "$WAITING"
		ended_with 122
		grep -q 'was not started' said
	done
	[[ ! -e started && $("$INVCTL" list --all --json) == "[]" ]]
}

@test "SIGINT ends the wait; typed at the terminal, run dies by it" {
	local status=0
	"$INVCTL" hold
	# In a job of its own the shell does not ignore it.
	set -m
	start_waiting touch started
	set +m
	kill -INT "$WAITING"
	ended_with 122
	(
		retry grep -q 'waits until the hold' typescript
		printf '\3'
		retry grep -q 'was not started' typescript
	) | script -qefc "exec '$INVCTL' run --wait-hold touch typed" typescript >/dev/null || status=$?
	[[ $status == 130 && ! -e started && ! -e typed ]]
}

@test "Ctrl-Z stops it while it waits, and fg lets it wait on" {
	"$INVCTL" hold
	set -m
	start_waiting touch started
	set +m
	kill -TSTP "$WAITING"
	retry grep -q '^State:.*stopped' "/proc/$WAITING/status"
	kill -CONT "$WAITING"
	"$INVCTL" release
	ended_with 0
	[[ -e started ]]
}

@test "--timeout ends the wait, and runs on afterwards" {
	"$INVCTL" hold
	run -124 --separate-stderr "$INVCTL" run --wait-hold --timeout=0.3 touch started
	[[ $stderr == *"was not started: its --timeout ran out"* && ! -e started ]]
	[[ $("$INVCTL" list --all --json) == "[]" ]]
	start_waiting --timeout=1 sleep 1000
	"$INVCTL" release
	ended_with 124
}

@test "--detach too: the id when the command runs; and nothing starts if the caller has gone" {
	"$INVCTL" hold
	start_waiting --detach --name=night sleep 1000
	[[ ! -s out ]]
	"$INVCTL" release
	ended_with 0
	field_is "$(<out)" .status running
	"$INVCTL" cancel --wait=20s night
	"$INVCTL" hold
	start_waiting --detach touch started
	local supervisor
	supervisor=$(pgrep -P "$WAITING")
	kill -KILL "$WAITING"
	retry process_is_gone "$supervisor"
	"$INVCTL" release
	[[ ! -e started && $("$INVCTL" list -q) == "" ]]
}

@test "the broker and the table are lost while it waits: it goes on in the new table" {
	"$INVCTL" hold
	start_waiting touch started
	restart_machine
	"$INVCTL" release
	ended_with 0
	[[ -e started ]]
}

@test "a fresh /dev/shm: the hold stands from the first moment" {
	private_machine
	"$INVCTL" hold 'the laser is open'
	end_broker
	rm "$SHM/$INVCTL_TABLE"
	local i starting=()
	for i in {1..8}; do
		"$INVCTL" run touch "started-$i" 3>&- &
		starting+=($!)
	done
	wait "${starting[@]}" || true
	run -1 compgen -G 'started-*'
}

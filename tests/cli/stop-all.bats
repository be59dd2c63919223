#!/usr/bin/env bats
# Contract 5, stop-all: hold, then a request to everything, in every table that the caller may open; a
# line for each of what became of it, which never claims more than was seen; whatever state tables,
# brokers and the machine are in. Each test has a machine of its own: see namespaces.bash.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers
load namespaces

setup() {
	setup_table
	private_machine
}

teardown() {
	end_machine
	teardown_table
}

# An action that handles SIGTERM by not ending.
STUBBORN='trap "touch signalled" TERM; touch ready; while :; do sleep 0.02; done'
# One that has checked once, and checks no more.
SILENT='"$INVCTL" check; touch ready; while :; do sleep 0.02; done'

line_of() { # ID
	grep "^$1 " <<<"$output"
}

# invctl of another version of the layout, as in versions.bats; $BATS_TEST_TMPDIR/inside/other runs it.
other_version() {
	local other=$BUILD/other-version
	make -s -C "$ROOT" -j2 BUILD="$other" SANITIZE= COVERAGE= CPPFLAGS=-DINV_LAYOUT_VERSION=99 \
		"$other/invctl" "$other/invctl-view" "$other/invbroker" >&2
	sed "s,$BUILD/invctl,$other/invctl," "$BATS_TEST_TMPDIR/inside/invctl" >"$BATS_TEST_TMPDIR/inside/other"
	chmod +x "$BATS_TEST_TMPDIR/inside/other"
}

on_hold() { # [TABLE]
	"$INVCTL" --table="${1:-$INVCTL_TABLE}" status --json | jq -e '.hold != null' >/dev/null
}

# The pid of the broker of a table.
broker_of() { # TABLE
	"$INVCTL" --table="$1" status --json | jq .broker.pid
}

@test "the table is on hold, all that runs is stopped, and a line says how each has ended" {
	start --name=one sleep 1000
	local one=$ID one_pid=$RUN_PID
	start --name=two sh -c 'trap "exit 0" TERM; while :; do sleep 0.02; done'
	run -0 --separate-stderr "$INVCTL" stop-all --reason='gas alarm'
	[[ $(line_of "$one") == "$one one: ended: cancelled" ]]
	[[ $(line_of "$ID") == "$ID two: ended: cancelled" ]]
	[[ $(wc -l <<<"$output") == 2 ]]
	[[ $stderr == *"2 requested to stop: 2 ended, 0 cleaning up, 0 not responding; 1 table on hold"* ]]
	ended_with 122
	RUN_PID=$one_pid
	ended_with 122
	run -0 "$INVCTL" show --json "$one"
	jq -e '.cancel.cause == "hold" and .cancel.reason == "gas alarm" and .cancel.actor.command == "invctl"' <<<"$output"
	run -118 --separate-stderr "$INVCTL" run true
	[[ $stderr == *"on hold"*"gas alarm"*"invctl release"* ]]
	"$INVCTL" release
	run -0 "$INVCTL" run true
}

@test "what does not end is said to clean up, or not to respond, with the next step: 119" {
	export INVCTL
	start --name=stubborn sh -c "$STUBBORN"
	local stubborn=$ID
	retry test -e ready
	rm ready
	start --name=silent sh -c "$SILENT"
	retry test -e ready
	run -119 --separate-stderr "$INVCTL" stop-all --wait=0.5
	[[ $(line_of "$stubborn") == *" stubborn: cleaning up: signalled"*"has not ended; next: invctl cancel --kill ${stubborn:0:8}" ]]
	[[ $(line_of "$ID") == *" silent: not responding: requested"*"not delivered; next: invctl cancel --signal ${ID:0:8}" ]]
	[[ $stderr == *"0 ended, 1 cleaning up, 1 not responding"* ]]
	on_hold
}

@test "one that is paused is stopped, too" {
	start --name=one sleep 1000
	"$INVCTL" pause --stop-processes one
	run -0 --separate-stderr "$INVCTL" stop-all
	[[ $output == "$ID one: ended: cancelled" ]]
	ended_with 122
}

@test "one whose finish command runs is cleaning up" {
	start --name=oven --finish='touch finishing; until [ -e go ]; do sleep 0.02; done' sleep 1000
	"$INVCTL" stop-all --wait=0 >/dev/null 2>&1 || true
	retry test -e finishing
	run -119 --separate-stderr "$INVCTL" stop-all --wait=0.1
	[[ $output == "$ID oven: cleaning up: its command has ended, and its finish command runs; next: "* ]]
	touch go
	run -0 --separate-stderr "$INVCTL" stop-all
	ended_with 122
}

@test "it waits for those who end in time, and not without an end" {
	start --name=slow sh -c 'trap "until [ -e go ]; do sleep 0.02; done; exit" TERM; touch ready; while :; do sleep 0.02; done'
	retry test -e ready
	run -119 --separate-stderr "$INVCTL" stop-all --wait=0
	"$INVCTL" stop-all --wait=20s >said 3>&- &
	local stopping=$!
	retry field_is "$ID" .laterRequest.cause hold
	touch go
	wait "$stopping"
	[[ $(<said) == "$ID slow: ended: cancelled" ]]
}

@test "nested ones get the same cause, one request each, and a loop of runs ends" {
	start --name=outer sh -c 'until [ -e go ]; do sleep 0.01; done; while "$INVCTL" run --name=inner sleep 0.01; do :; done'
	touch go
	retry eval '"$INVCTL" list --all -n -o name | grep -q inner'
	run -0 --separate-stderr "$INVCTL" stop-all
	retry process_is_gone "$RUN_PID"
	[[ $(field "$ID" .cancel.cause) == hold ]]
	[[ $("$INVCTL" list -q | wc -l) == 0 ]]
}

@test "a positional argument stops nothing, and says what the command does" {
	start --name=scan sleep 1000
	run -2 --separate-stderr "$INVCTL" stop-all scan
	[[ $stderr == *"stops everything in every table"*"nothing was stopped"*"invctl cancel"* ]]
	[[ $(field "$ID" .status) == running ]]
	run ! on_hold
}

@test "every table is put on hold, and the default one is made if there is none" {
	INVCTL_TABLE=$INVCTL_TABLE-lab start --name=elsewhere sleep 1000
	[[ ! -e $SHM/$INVCTL_TABLE ]]
	run -0 --separate-stderr "$INVCTL" stop-all
	[[ $output == "$ID elsewhere in table $INVCTL_TABLE-lab: ended: cancelled" ]]
	[[ $stderr == *"'invctl --table=$INVCTL_TABLE-lab release'"*"2 tables on hold"* ]]
	on_hold
	on_hold "$INVCTL_TABLE-lab"
	kill -KILL "$(broker_of "$INVCTL_TABLE-lab")"
}

@test "without anything that runs it is done at once" {
	run -0 --separate-stderr "$INVCTL" stop-all
	[[ -z $output && $stderr == *"0 requested to stop"* ]]
	on_hold
}

@test "a hold that stands stays, with its note" {
	"$INVCTL" hold 'the laser is open'
	run -118 "$INVCTL" run true
	run -0 --separate-stderr "$INVCTL" stop-all -r alarm
	[[ $("$INVCTL" status --json | jq -r .hold.note) == 'the laser is open' ]]
}

@test "the broker is stopped: requests go out, and what can't be stored is said" {
	start --name=one sleep 1000
	local broker
	broker=$(broker_pid)
	kill -STOP "$broker"
	run -0 --separate-stderr "$INVCTL" stop-all
	kill -CONT "$broker"
	[[ $output == "$ID one: ended: cancelled" ]]
	[[ $stderr == *"is stopped, so a restart of this machine would undo the hold; 'kill -CONT $broker'"* ]]
	on_hold
}

@test "the supervisor is stopped: the next step is to let it go on" {
	start --name=one sleep 1000
	kill -STOP "$RUN_PID"
	run -119 --separate-stderr "$INVCTL" stop-all --wait=0.2
	kill -CONT "$RUN_PID"
	[[ $output == "$ID one: not responding: requested"*"its supervisor is stopped; next: kill -CONT $RUN_PID, or invctl cancel --kill ${ID:0:8}" ]]
	ended_with 122
}

@test "the supervisor and the broker are dead: a broker is started, which stops the action" {
	start --name=one sleep 1000
	kill -KILL "$(broker_pid)" "$RUN_PID"
	retry process_is_gone "$RUN_PID"
	run -0 --separate-stderr "$INVCTL" stop-all
	[[ $output == "$ID one: ended: cancelled" ]]
}

@test "the table's name was removed: it is reached by its broker's socket" {
	start --name=one sleep 1000
	rm "$SHM/$INVCTL_TABLE"
	run -0 --separate-stderr "$INVCTL" stop-all
	[[ $output == "$ID one: ended: cancelled" ]]
	on_hold
}

@test "another table's name was removed: the same" {
	INVCTL_TABLE=$INVCTL_TABLE-lab start --name=one sleep 1000
	rm "$SHM/$INVCTL_TABLE-lab"
	run -0 --separate-stderr "$INVCTL" stop-all
	[[ $output == "$ID one in table $INVCTL_TABLE-lab: ended: cancelled" ]]
	kill -KILL "$(broker_of "$INVCTL_TABLE-lab")"
}

@test "name and broker are gone: the run files show the supervisors, which get SIGTERM" {
	local table=$INVCTL_TABLE-lab
	INVCTL_TABLE=$table start --name=one sleep 1000
	local pid=$RUN_PID
	kill -KILL "$(broker_of "$table")"
	rm "$SHM/$table"
	# A table that was made anew under the same name has another one.
	INVCTL_TABLE=$table start --name=two sleep 1000
	run -0 --separate-stderr "$INVCTL" stop-all
	[[ $output == *" one: ended"* ]]
	[[ $(line_of "$ID") == *" two in table $table: ended: cancelled" ]]
	ended_with 122
	RUN_PID=$pid
	ended_with 122
	kill -KILL "$(broker_of "$table")"
}

@test "the name is removed and the broker stopped: SIGTERM, and the table is named: 118" {
	local table=$INVCTL_TABLE-lab broker
	INVCTL_TABLE=$table start --name=one sleep 1000
	broker=$(broker_of "$table")
	kill -STOP "$broker"
	rm "$SHM/$table"
	run -118 --separate-stderr "$INVCTL" stop-all
	kill -KILL "$broker"
	[[ $output == "$ID one: ended" ]]
	[[ $stderr == *"table '$table' could not be reached"* ]]
	ended_with 122
}

@test "a table of another version: what run supervises is stopped, and the table is named: 118" {
	other_version
	local own=$INVCTL
	INVCTL=$BATS_TEST_TMPDIR/inside/other
	start --name=night sleep 1000
	INVCTL=$own
	run -118 --separate-stderr "$INVCTL" stop-all
	[[ $output == "$ID night: ended" ]]
	[[ $stderr == *"'$INVCTL_TABLE' was made by another version of invctl, so it is not on hold"* ]]
	ended_with 122
	kill -KILL "$(INVCTL=$BATS_TEST_TMPDIR/inside/other broker_pid)"
}

@test "damaged tables are named, and the others go on: 118" {
	start --name=one sleep 1000
	local damaged=$INVCTL_TABLE-damaged
	head -c 5000 "$SHM/$INVCTL_TABLE" >"$SHM/$damaged"
	chmod 0600 "$SHM/$damaged"
	head -c 5000 /dev/urandom >"$SHM/no-table"
	mkfifo "$SHM/fifo"
	run -118 --separate-stderr "$INVCTL" stop-all
	[[ $output == "$ID one: ended: cancelled" ]]
	[[ $stderr == *"table '$damaged' is damaged"* && $stderr != *no-table* && $stderr != *fifo* ]]
	on_hold
}

@test "the default table is damaged: the others are stopped, and so is what its run files show" {
	start --name=one sleep 1000
	local own=$ID own_pid=$RUN_PID
	INVCTL_TABLE=$INVCTL_TABLE-lab start --name=two sleep 1000
	truncate -s 8192 "$SHM/$INVCTL_TABLE"
	run -118 --separate-stderr "$INVCTL" stop-all
	[[ $(line_of "$own") == "$own one: ended" ]]
	[[ $(line_of "$ID") == "$ID two in table $INVCTL_TABLE-lab: ended: cancelled" ]]
	[[ $stderr == *"table '$INVCTL_TABLE' is damaged"* ]]
	ended_with 122
	RUN_PID=$own_pid
	retry process_is_gone "$RUN_PID"
	kill -KILL "$(broker_of "$INVCTL_TABLE-lab")"
}

@test "of 8 loops that start runs none gets past it" {
	local i
	for i in {1..8}; do
		(while "$INVCTL" run --name="loop-$i" sleep 0.02; do :; done) 2>/dev/null 3>&- &
	done
	retry eval '(( $("$INVCTL" list --all -q | wc -l) > 20 ))'
	"$INVCTL" stop-all
	run -0 "$INVCTL" list -q
	[[ -z $output ]]
	run -118 "$INVCTL" run true
}

@test "no place to write, no input, a full disk and a full /dev/shm stop nothing from being stopped" {
	start --name=one sleep 1000
	mkdir full
	inside sh -c "mount -t tmpfs -o size=4k none '$PWD/full' && cat /dev/zero >'$PWD/full/all'" 2>/dev/null || true
	inside sh -c 'cat /dev/zero >/dev/shm/all' 2>/dev/null &
	local filling=$!
	inside mount -o remount,size=20m /dev/shm
	wait "$filling" || true
	run -0 --separate-stderr env INVCTL_STATE_DIR="$PWD/full" "$INVCTL" stop-all <&-
	[[ $output == "$ID one: ended: cancelled" ]]
	ended_with 122
	"$INVCTL" release
	start --name=two sleep 1000
	"$INVCTL" stop-all >&- 2>&- <&- || true
	ended_with 122
	"$INVCTL" release
	start --name=three sleep 1000
	"$INVCTL" stop-all >/dev/full || true
	ended_with 122
}

@test "the default table can't be made, for a full /dev/shm: the others are stopped, 118" {
	INVCTL_TABLE=$INVCTL_TABLE-lab start --name=one sleep 1000
	inside mount -o remount,size=14m /dev/shm
	run -118 --separate-stderr "$INVCTL" stop-all
	[[ $output == "$ID one in table $INVCTL_TABLE-lab: ended: cancelled" ]]
	[[ $stderr == *"table '$INVCTL_TABLE' could not be reached"* ]]
	kill -KILL "$(broker_of "$INVCTL_TABLE-lab")"
}

@test "with few descriptors all get their requests" {
	local i pids=()
	for i in 1 2 3 4 5 6; do
		INVCTL_TABLE=$INVCTL_TABLE-$i start --name="of-$i" sleep 1000
		pids+=("$RUN_PID")
	done
	run -0 --separate-stderr inside sh -c 'ulimit -n 12; exec "$0" stop-all' "$BUILD/invctl" 3>&-
	[[ $(grep -c 'ended: cancelled' <<<"$output") == 6 ]]
	for RUN_PID in "${pids[@]}"; do
		ended_with 122
	done
	for i in 1 2 3 4 5 6; do
		kill -KILL "$(broker_of "$INVCTL_TABLE-$i")"
	done
}

@test "with no memory to spare all get their requests" {
	! is_sanitized || skip "a sanitizer needs more memory than that"
	local i
	for i in 1 2 3 4 5 6; do
		INVCTL_TABLE=$INVCTL_TABLE-$i start --name="of-$i" sleep 1000
	done
	# Room for the program and one table.
	run --separate-stderr inside sh -c 'ulimit -v 20000; exec "$0" stop-all' "$BUILD/invctl"
	[[ $(grep -c 'ended: cancelled' <<<"$output") == 6 ]]
	for i in 1 2 3 4 5 6; do
		kill -KILL "$(broker_of "$INVCTL_TABLE-$i")"
	done
}

@test "without memory to open any table the supervisors get SIGTERM" {
	! is_sanitized || skip "a sanitizer needs more memory than that"
	start --name=one sleep 1000
	run --separate-stderr inside sh -c 'ulimit -v 5000; exec "$0" stop-all' "$BUILD/invctl"
	[[ $status == 118 && $output == "$ID one: ended" ]]
	[[ $stderr == *"table '$INVCTL_TABLE' could not be reached"* ]]
	ended_with 122
}

# Copies that other users may execute; as_user UID COMMAND... runs one as such a user.
for_other_users() {
	((EUID == 0)) || skip "only root can be several users"
	SHARED=$(mktemp -d)
	chmod 0755 "$SHARED"
	cp "$BUILD/invctl" "$BUILD/invctl-view" "$BUILD/invbroker" "$SHARED"
	inside chmod 1777 /dev/shm
}

as_user() { # UID COMMAND...
	mkdir -p "$SHARED/$1"
	chown "$1" "$SHARED/$1"
	nsenter --target "$MACHINE" --mount --net --wd="$SHARED" -- env INVCTL_STATE_DIR="$SHARED/$1" \
		setpriv --reuid="$1" --regid="$1" --clear-groups -- "${@:2}"
}

@test "another user's table is named, and not touched: 118; root stops what is in it, and names the user" {
	for_other_users
	local annas=$INVCTL_TABLE-anna
	INVCTL_TABLE=$annas as_user 61001 "$SHARED/invctl" run --detach --name=scan sleep 1000 >id
	start --name=own sleep 1000
	# A user that is neither.
	run -118 --separate-stderr env INVCTL_TABLE="$INVCTL_TABLE-bert" INVCTL_STATE_DIR="$SHARED/61002" \
		nsenter --target "$MACHINE" --mount --net --wd="$SHARED" -- \
		setpriv --reuid=61002 --regid=61002 --clear-groups -- "$SHARED/invctl" stop-all
	[[ $stderr == *"table '$annas' of user 61001 is not yours to open"* && -z $output ]]
	run ! on_hold "$annas"
	run -0 --separate-stderr "$INVCTL" stop-all
	[[ $(line_of "$(<id)") == "$(<id) scan in table $annas: ended: cancelled" ]]
	[[ $(line_of "$ID") == "$ID own: ended: cancelled" ]]
	[[ $stderr == *"table '$annas' of user 61001 is on hold, too"* ]]
	run -118 env INVCTL_TABLE="$annas" nsenter --target "$MACHINE" --mount --net --wd="$SHARED" -- \
		setpriv --reuid=61001 --regid=61001 --clear-groups -- "$SHARED/invctl" run true
	kill -KILL "$(broker_of "$annas")" "$(broker_of "$INVCTL_TABLE-bert")"
	rm -rf "$SHARED"
}

@test "a member stops what others run in a shared table" {
	for_other_users
	inside env INVCTL_STATE_DIR="$SHARED/61001" setpriv --reuid=61001 --regid=61001 --groups=60100 -- \
		"$SHARED/invbroker" --group=60100 3>&-
	inside env INVCTL_STATE_DIR="$SHARED/61001" setpriv --reuid=61001 --regid=61001 --groups=60100 -- \
		"$SHARED/invctl" run --detach --name=annas sleep 1000 >id 3>&-
	run -0 --separate-stderr inside env INVCTL_STATE_DIR="$SHARED/61002" \
		setpriv --reuid=61002 --regid=61002 --groups=60100 -- "$SHARED/invctl" stop-all
	[[ $output == "$(<id) annas: ended: cancelled" ]]
	on_hold
	rm -rf "$SHARED"
}

@test "sockets of another user's under brokers' names are no tables, and cost little time" {
	for_other_users
	as_user 61003 perl -MSocket -e '
		for my $i (1..200) {
			socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
			bind($s, pack("S a*", AF_UNIX, "\0invctl/61003/planted-$i")) or die;
			listen($s, 1) or die;
			push @kept, $s;
		}
		open(my $ready, ">", "'"$SHARED"'/61003/ready"); close $ready; sleep 1000' 3>&- &
	STARTED_PIDS+=($!)
	retry test -e "$SHARED/61003/ready"
	start --name=one sleep 1000
	local before=$SECONDS
	run -0 --separate-stderr "$INVCTL" stop-all
	((SECONDS - before < 15))
	[[ $output == "$ID one: ended: cancelled" && $stderr != *planted* ]]
	rm -rf "$SHARED"
}

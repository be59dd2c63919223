#!/usr/bin/env bats
# A shared table: two users of a group work together in it, whoever is not of the group
# stays out, and nobody can do to another what the group was not given.
# The users are bare numbers: no account, no home, no name is needed for any of it.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers

GROUP=60100
ANNA=61001
BERT=61002
STRANGER=61003

setup() {
	((EUID == 0)) || skip "only root can be several users"
	setup_table
	# Neither the build nor the folder of the tests need let others through.
	SHARED=$(mktemp -d)
	chmod 0755 "$SHARED"
	cp "$INVCTL" "$BUILD/invctl-view" "$INVBROKER" "$SHARED"
	INVCTL=$SHARED/invctl INVBROKER=$SHARED/invbroker
	unset HOME XDG_STATE_HOME XDG_RUNTIME_DIR
	local user
	for user in $ANNA $BERT $STRANGER; do
		mkdir -m 0700 "$SHARED/$user"
		chown "$user" "$SHARED/$user"
	done
	cd "$SHARED" || return
}

teardown() {
	((EUID == 0)) || return 0
	cd / || return
	teardown_table
	rm -rf "$SHARED"
}

# become USER: what makes the next words a command of that user; in $BECOME.
become() {
	BECOME=(env INVCTL_STATE_DIR="$SHARED/$1" setpriv --reuid="$1" --regid="$1")
	if (($1 == STRANGER)); then
		BECOME+=(--clear-groups)
	else
		BECOME+=(--groups="$GROUP")
	fi
}

as() { # USER COMMAND...
	local BECOME
	become "$1"
	"${BECOME[@]}" "${@:2}"
}

serve() { # USER [OPTION...]
	as "$1" "$INVBROKER" --group=$GROUP "${@:2}" 3>&-
	BROKER=$(broker_pid)
	[[ -n $BROKER ]]
}

end_served() {
	kill -KILL "$BROKER"
	retry broker_is_gone "$BROKER"
}

# As `start`, of a user.
start_as() { # USER [OPTION...] [--] COMMAND...
	local BECOME
	become "$1"
	ID=$(new_id)
	"${BECOME[@]}" "$INVCTL" run --id="$ID" "${@:2}" 3>&- &
	RUN_PID=$!
	STARTED_PIDS+=("$RUN_PID")
	retry field_is "$ID" .status running
}

user_of() {
	stat -c %u "/proc/$1"
}

user_is() {
	[[ $(user_of "$1") == "$2" ]]
}

@test "mode and group are what was asked for, whatever the umask, by number and by name" {
	local name
	(umask 0777 && serve $ANNA)
	assert_equal "$(stat -c '%a %u %g' "/dev/shm/$INVCTL_TABLE")" "660 $ANNA $GROUP"
	end_broker
	rm "/dev/shm/$INVCTL_TABLE"
	(umask 0 && as $ANNA "$INVBROKER" --mode=0660 3>&-)
	assert_equal "$(stat -c '%a %u %g' "/dev/shm/$INVCTL_TABLE")" "660 $ANNA $ANNA"
	end_broker
	rm "/dev/shm/$INVCTL_TABLE"
	name=$(getent group daemon | cut -d: -f1)
	"$INVBROKER" --group="$name" --mode=0660 3>&-
	assert_equal "$(stat -c '%a %G' "/dev/shm/$INVCTL_TABLE")" "660 $name"
}

@test "a group that the maker is not of is refused, and nothing is left" {
	run -118 as $STRANGER "$INVBROKER" --group=$GROUP
	assert_output --partial "can't be given to group $GROUP"
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "two members see each other's actions, with the user, and each can cancel the other's" {
	serve $ANNA
	start_as $ANNA --name=annas -- sleep 1000
	local annas=$ID annas_run=$RUN_PID
	start_as $BERT --name=berts -- sleep 1000
	local berts=$ID user
	for user in $ANNA $BERT; do
		run -0 as "$user" "$INVCTL" list --noheadings -o name,uid
		assert_line --regexp "^annas +$ANNA$"
		assert_line --regexp "^berts +$BERT$"
		run -0 as "$user" "$INVCTL" list --json
		jq -e "map({(.action): .uid}) | add == {annas: $ANNA, berts: $BERT}" <<<"$output"
	done
	run -0 as $BERT "$INVCTL" cancel --reason="beam time is over" --wait=20s annas
	run -0 as $ANNA "$INVCTL" cancel --wait=20s "${berts:0:8}"
	ended_with 122
	RUN_PID=$annas_run
	ended_with 122
	run -0 as $ANNA "$INVCTL" show --json "$annas"
	jq -e ".uid == $ANNA and .status == \"cancelled\" and .cancel.state == \"signalled\"
		and .cancel.actor.uid == $BERT and .cancel.actor.command == \"invctl\"
		and .cancel.reason == \"beam time is over\"" <<<"$output"
	run -0 as $BERT "$INVCTL" show "$berts"
	assert_line --regexp "^User .*$BERT"
	assert_line --regexp "^  by .*$ANNA"
	run -0 as $BERT "$INVCTL" why --id="$annas"
	assert_output --partial "requested: beam time is over (by user $BERT, from "
}

@test "a member waits for the other's, and gets its exit status, by name and by prefix" {
	serve $ANNA
	start_as $ANNA --name=annas -- sh -c 'until [ -e go ]; do sleep 0.02; done; exit 7'
	as $BERT "$INVCTL" wait annas 3>&- &
	local by_name=$!
	as $BERT "$INVCTL" wait "${ID:0:8}" 3>&- &
	local by_prefix=$! status=0
	run -119 as $BERT "$INVCTL" wait --timeout=10ms annas
	touch go
	ended_with 7
	wait "$by_name" || status=$?
	[[ $status == 7 ]]
	status=0
	wait "$by_prefix" || status=$?
	[[ $status == 7 ]]
	start_as $BERT --name=twice -- sleep 1000
	start_as $ANNA --name=twice -- sleep 1000
	run -114 as $BERT "$INVCTL" cancel twice
	assert_output --partial "$ID"
}

@test "an action in the other's table: id, check, sleep, log, why and nested runs are its own" {
	serve $ANNA
	start_as $BERT -- sh -c '
		"$INVCTL" id >berts-id
		"$INVCTL" check || exit 90
		"$INVCTL" log "a word"
		"$INVCTL" run --name=below -- sh -c "exit 6"
		[ $? = 6 ] || exit 91
		"$INVCTL" sleep 0.01 || exit 92
		touch asleep
		"$INVCTL" sleep 1000
		[ $? = 122 ] || exit 93
		"$INVCTL" why --json
		"$INVCTL" run --name=after -- true
		exit 7' >"$SHARED/why" 2>"$SHARED/said"
	retry field_is "$ID" .cooperative true
	run -0 as $ANNA "$INVCTL" list --all --json
	run -0 as $ANNA "$INVCTL" cancel --wait=20s "$ID"
	ended_with 122
	assert_equal "$(field "$ID" .cancel.state)" delivered
	assert_equal "$(jq .actor.uid "$SHARED/why")" $ANNA
	run -0 as $BERT "$INVCTL" show --json "$ID"
	jq -e '.log[0].message == "a word" and .exitStatus == 7' <<<"$output"
	run -0 as $ANNA "$INVCTL" show --json "$ID"
	jq -e '.log == []' <<<"$output"
	run -0 as $ANNA "$INVCTL" list --all --json
	jq -e --arg id "$ID" 'map(select(.action == "below"))[0]
		| .parent == $id and .exitStatus == 6' <<<"$output"
}

@test "whoever is not of the group is denied by every command, with a sentence" {
	serve $ANNA
	start_as $ANNA --name=annas -- sleep 1000
	refused() {
		run --separate-stderr -118 as $STRANGER env INVCTL_ID="$ID" "$INVCTL" "$@"
		[[ -z $output && $stderr == "invctl: table '$INVCTL_TABLE'"*"group $GROUP"* ]]
	}
	refused run true
	refused run --detach true
	refused list
	refused list --all --json
	refused show "$ID"
	refused show annas
	refused cancel "$ID"
	refused cancel --all
	refused cancel --kill annas
	refused wait "$ID"
	refused status
	refused status --json
	refused check
	refused check --peek
	refused why
	refused log -p error "a word"
	refused sleep 0.01
	run -118 as $STRANGER "$INVBROKER"
	assert_output --partial "belongs to user $ANNA"
	run -118 as $STRANGER "$INVBROKER" --group=$GROUP
	field_is "$ID" .status running
	field_is "$ID" .cancel null
	assert_equal "$(broker_pid)" "$BROKER"
	[[ -z $(find "$SHARED/$STRANGER" -mindepth 1) ]]
}

@test "logs, run files and kept output lie in each user's own directory, for that user alone" {
	serve $ANNA
	start_as $ANNA -- sleep 1000
	local annas=$ID berts
	berts=$(as $BERT "$INVCTL" run --detach -- sh -c 'echo kept; "$INVCTL" log logged; exec sleep 1000')
	retry test -s "$SHARED/$BERT/$INVCTL_TABLE/$berts.log"
	retry grep -qx kept "$SHARED/$BERT/$INVCTL_TABLE/$berts.out"
	[[ -e $SHARED/$ANNA/$INVCTL_TABLE/$annas.run ]]
	[[ ! -e $SHARED/$ANNA/$INVCTL_TABLE/$berts.run && ! -e $SHARED/$BERT/$INVCTL_TABLE/$annas.run ]]
	local user
	for user in $ANNA $BERT; do
		run find "$SHARED/$user" -mindepth 1 \( -not -user "$user" -o -perm /077 \)
		assert_output ""
	done
	# The other's command is known as far as /proc tells it to everybody.
	run -0 as $ANNA "$INVCTL" show --json "$berts"
	jq -e '.command | index("sleep") == 0' <<<"$output"
	run -118 --separate-stderr as $ANNA "$INVCTL" logs "$berts"
	[[ -z $output && $stderr == "invctl: 'sh' belongs to user $BERT, "*"/$INVCTL_TABLE/$berts.log and .out"* ]]
	run -118 "$INVCTL" logs --follow "$berts"
	run -0 as $BERT "$INVCTL" logs "$berts"
	assert_line kept
	run -0 as $ANNA "$INVCTL" cancel --wait=20s "$berts"
}

@test "cancel --kill and --signal reach the other's action by its own supervisor" {
	serve $ANNA
	start_as $BERT -- sh -c 'trap "" TERM; sleep 1000'
	run -0 as $ANNA "$INVCTL" cancel --signal=USR1 "$ID"
	ended_with 122
	start_as $BERT -- sh -c 'trap "" TERM; setsid sleep 1000 & wait'
	local command
	command=$(field "$ID" .pid)
	run -0 as $ANNA "$INVCTL" cancel --kill --wait=20s "$ID"
	ended_with 137
	retry process_is_gone "$command"
	start_as $BERT --no-kill -- sleep 1000
	run -118 as $ANNA "$INVCTL" cancel --kill "$ID"
	field_is "$ID" .status running
}

@test "whichever member's broker serves, the other's actions go on, and its own are looked after" {
	serve $ANNA
	start_as $ANNA --name=annas -- sleep 1000
	local annas=$ID annas_run=$RUN_PID annas_command
	annas_command=$(field "$annas" .pid)
	end_served
	# Bert's run starts one; it takes Anna's table over.
	start_as $BERT --name=berts -- sleep 1000
	local berts=$ID berts_run=$RUN_PID berts_command
	berts_command=$(field "$berts" .pid)
	BROKER=$(broker_pid)
	user_is "$BROKER" $BERT
	kill -KILL "$annas_run" "$berts_run"
	retry field_is "$annas" .ownerPid null
	retry field_is "$berts" .ownerPid null
	run -0 as $ANNA "$INVCTL" cancel --wait=20s "$berts"
	retry process_is_gone "$berts_command"
	run -119 as $ANNA "$INVCTL" cancel --kill --wait=200ms "$annas"
	kill -0 "$annas_command"
	# Anna's broker may, and does.
	end_served
	serve $ANNA
	user_is "$BROKER" $ANNA
	run -137 as $BERT "$INVCTL" wait --timeout=20s "$annas"
	retry process_is_gone "$annas_command"
}

@test "the broker of another user takes no stop command, and no file of another, for the action's" {
	serve $ANNA
	start_as $BERT --stop='touch stopped' -- sleep 1000
	local command
	command=$(field "$ID" .pid)
	# What would be read, were it believed.
	mkdir -p "$SHARED/$ANNA/$INVCTL_TABLE"
	cp "$SHARED/$BERT/$INVCTL_TABLE/$ID.run" "$SHARED/$ANNA/$INVCTL_TABLE/$ID.run"
	chown $ANNA "$SHARED/$ANNA/$INVCTL_TABLE/$ID.run"
	chmod 1777 "$SHARED"
	kill -KILL "$RUN_PID"
	retry field_is "$ID" .ownerPid null
	run -119 as $ANNA "$INVCTL" cancel --wait=300ms "$ID"
	kill -0 "$command"
	[[ ! -e stopped ]]
	kill -KILL "$command"
	run -122 as $ANNA "$INVCTL" wait --timeout=20s "$ID"
}

@test "the name removed: a member gets the table from the other's broker, and makes no second one" {
	serve $ANNA
	start_as $ANNA --name=annas -- sleep 1000
	rm "/dev/shm/$INVCTL_TABLE"
	run -0 as $BERT "$INVCTL" list --noheadings -o name
	assert_output --regexp '^annas *$'
	start_as $BERT --name=berts -- sleep 1000
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
	run -0 as $ANNA "$INVCTL" cancel --wait=20s berts
	run -118 as $BERT "$INVBROKER"
	assert_output --partial "is served by pid $BROKER"
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
	run -116 as $STRANGER "$INVCTL" status
}

# survives COMMAND...: what Anna runs ends, and by itself: not by a fault, nor by our patience.
survives() {
	local status=0 began=$SECONDS
	as $ANNA timeout --signal=KILL 60 "$@" >>storm.log 2>&1 3>&- || status=$?
	((SECONDS - began < 60)) || {
		echo "did not end: $*" >&2
		return 1
	}
	case $status in
	132 | 133 | 134 | 135 | 136 | 139)
		echo "ended with $status: $*" >&2
		return 1
		;;
	esac
}

compile() { # PROGRAM
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -DINV_VERSION='"test"' -DINV_LIBEXECDIR='"/nowhere"' \
		-DINV_BINDIR='"/nowhere"' -I"$ROOT/include" -I"$ROOT/lib" -o "$SHARED/$1" \
		"$ROOT/tests/fuzz/$1.c" "$ROOT"/lib/*/*.c -luuid -lrt -lpthread
}

is_served() {
	[[ -n $(broker_pid) ]]
}

@test "whatever a member writes into the table, the other's commands and broker end by themselves" {
	compile scribble
	as $ANNA "$INVBROKER" --group=$GROUP --capacity=60 --foreground >broker.log 2>&1 3>&- &
	local broker=$! round
	STARTED_PIDS+=("$broker")
	retry is_served
	local BECOME
	become $ANNA
	# Processes of Anna's that nothing may touch: one uses the table, one has nothing to do with it.
	"${BECOME[@]}" "$SHARED/scribble" "$INVCTL_TABLE" map >mapper.log 3>&- &
	local mapper=$!
	"${BECOME[@]}" sleep 1000 3>&- &
	local bystander=$!
	STARTED_PIDS+=("$mapper" "$bystander")
	retry test -s mapper.log
	start_as $ANNA --name=longer -- sh -c 'while "$INVCTL" sleep 0.1; [ $? != 122 ]; do :; done'
	local longer=$ID
	become $BERT
	"${BECOME[@]}" "$SHARED/scribble" "$INVCTL_TABLE" $RANDOM "$broker" "$mapper" "$bystander" >scribble.log 3>&- &
	local scribbler=$!
	STARTED_PIDS+=("$scribbler")
	retry test -s scribble.log
	for round in {1..3}; do
		survives "$INVCTL" run --name="action-$round" -- sh -c '
			"$INVCTL" check; "$INVCTL" sleep 0.01; "$INVCTL" log "a word"; "$INVCTL" why
			"$INVCTL" run true; exit 0'
		survives "$INVCTL" run --kill-after=0.1 --timeout=0.05 -- sleep 0.3
		survives "$INVCTL" list --all
		survives "$INVCTL" list --all --json
		survives "$INVCTL" list --tree
		survives "$INVCTL" show "$longer"
		survives "$INVCTL" show --json longer
		survives "$INVCTL" wait --timeout=50ms "$longer"
		survives "$INVCTL" status
		survives "$INVCTL" status --json
		survives "$INVCTL" cancel --only "$longer"
		survives "$INVCTL" cancel --all --wait=50ms -v
		survives "$INVCTL" cancel --all --signal=USR1 --wait=50ms
		survives "$INVCTL" cancel --all --kill --wait=50ms
	done
	kill -KILL "$scribbler"
	kill -0 "$bystander"
	kill -0 "$mapper"
	kill -0 "$broker"
	retry process_is_gone "$RUN_PID"
	kill -TERM "$broker"
	retry process_is_gone "$broker"
}

@test "a finish command is run by the broker of its own user alone; others are warned, and status says so" {
	chmod 1777 "$SHARED"
	cd "$SHARED" || return
	serve $ANNA
	start_as $ANNA --finish='touch annas-parked' -- sleep 1000 2>annas-messages
	kill -KILL "$RUN_PID" "$(field "$ID" .pid)"
	run -125 as $ANNA "$INVCTL" wait --timeout=20s "$ID"
	[[ -e annas-parked && ! -s annas-messages ]]
	start_as $BERT --name=oven --finish='touch berts-parked' -- sleep 1000 2>berts-messages
	grep -q "takes over the runs of user $ANNA only: .* nothing carries out --finish of 'oven'" berts-messages
	kill -KILL "$RUN_PID"
	retry field_is "$ID" .ownerPid null
	run -1 as $ANNA "$INVCTL" status
	assert_output --partial "the first is $ID of user $BERT"
	kill -KILL "$(field "$ID" .pid)"
	run -125 as $ANNA "$INVCTL" wait --timeout=20s "$ID"
	[[ ! -e berts-parked ]]
}

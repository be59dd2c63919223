#!/usr/bin/env bats
# invbroker: one for a table, whatever happens to it; and what it makes of things that lie in
# its way. What it does after deaths: broker-takeover.bats.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers
load namespaces
load broker

# How many processes serve, or try to, the table of the test.
brokers_of_table() {
	local environment count=0
	for environment in /proc/[0-9]*/environ; do
		[[ $(cat "${environment%/environ}/comm" 2>/dev/null) == invbroker ]] || continue
		tr '\0' '\n' 2>/dev/null <"$environment" | grep -qx "INVCTL_TABLE=$INVCTL_TABLE" || continue
		process_is_gone "$(basename "${environment%/environ}")" || count=$((count + 1))
	done
	echo "$count"
}

# planted: what was put under the table's name is there still, as it was.
refuses_planted() {
	local before after
	before=$(stat -c '%F %a %u %s %i' "/dev/shm/$INVCTL_TABLE")
	run --separate-stderr -"$1" "$INVBROKER"
	after=$(stat -c '%F %a %u %s %i' "/dev/shm/$INVCTL_TABLE")
	assert_equal "$after" "$before"
	assert_equal "$output" ""
	assert_equal "$(wc -l <<<"$stderr")" 1
	[[ $stderr == "invbroker: "*"$INVCTL_TABLE"*"$2"* ]]
}

timer_is_armed() {
	local info
	for info in /proc/"$1"/fdinfo/*; do
		grep -q '^clockid:' "$info" 2>/dev/null || continue
		! grep -q '^it_value: (0, 0)' "$info"
		return
	done
	return 2
}

@test "twenty brokers that start at once: one stays, and all return when it serves" {
	local pids=() statuses="" pid status
	for _ in {1..20}; do
		"$INVBROKER" 3>&- 2>>messages &
		pids+=("$!")
	done
	for pid in "${pids[@]}"; do
		status=0
		wait "$pid" || status=$?
		statuses+="$status "
	done
	assert_equal "$(tr ' ' '\n' <<<"$statuses" | grep -cx 0)" 1
	assert_equal "$(tr ' ' '\n' <<<"$statuses" | grep -cx 118)" 19
	assert_equal "$(brokers_of_table)" 1
	assert_equal "$(grep -cx "invbroker: table '$INVCTL_TABLE' is served by pid $(broker_pid)" messages)" 19
}

@test "with --ready-fd a second broker is as good as the first: ok, and 0" {
	run -0 "$INVBROKER" --ready-fd=4 4>first
	run -0 "$INVBROKER" --ready-fd=4 4>second
	assert_equal "$output" ""
	assert_equal "$(cat first)" ok
	assert_equal "$(cat second)" "ok already served by pid $(broker_pid)"
}

@test "with --ready-fd a failure is told there, and nowhere else" {
	mkdir "/dev/shm/$INVCTL_TABLE"
	run -116 "$INVBROKER" --ready-fd=4 4>answer
	rmdir "/dev/shm/$INVCTL_TABLE"
	assert_equal "$output" ""
	grep -q "is a directory, not a table" answer
}

@test "invctl run starts a broker that keeps nothing of the caller's" {
	exec 7>marker
	run -0 "$INVCTL" run true
	exec 7>&-
	local pid
	pid=$(broker_pid)
	[[ -n $pid ]]
	run -1 grep -l marker <(ls -l "/proc/$pid/fd")
	assert_equal "$(readlink "/proc/$pid/cwd")" /
	assert_equal "$(readlink "/proc/$pid/fd/0")" /dev/null
	assert_equal "$(cut -d' ' -f6 "/proc/$pid/stat")" "$pid"
}

@test "twenty runs at once on a fresh table start one broker" {
	local pids=() pid
	for _ in {1..20}; do
		"$INVCTL" run true 3>&- &
		pids+=("$!")
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	retry is_served_by "$(broker_pid)"
	assert_equal "$(brokers_of_table)" 1
}

@test "a broker that is started within an action does not carry its id" {
	run -0 "$INVCTL" run -- sh -c '"$INVBROKER" --table="$INVCTL_TABLE-2"'
	local pid
	pid=$(INVCTL_TABLE=$INVCTL_TABLE-2 broker_pid)
	STARTED_PIDS+=("$pid")
	rm "/dev/shm/$INVCTL_TABLE-2"
	run -1 grep -z '^INVCTL_ID=.' "/proc/$pid/environ"
}

@test "--foreground tells a service manager that it is ready, and that it stops" {
	perl -MSocket -e '
		socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die;
		open(my $up, ">", "listening"); close $up; $| = 1; my $m = "";
		while ($m !~ /STOPPING/) { recv($s, $m, 4096, 0) // die; print "$m\n" }
	' "$BATS_TEST_TMPDIR/notify" >told 3>&- &
	local listener=$!
	STARTED_PIDS+=("$listener")
	retry test -e listening
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify "$INVBROKER" --foreground 2>log 3>&- &
	local broker=$!
	STARTED_PIDS+=("$broker")
	retry grep -qx READY=1 told
	assert_equal "$(broker_pid)" "$broker"
	kill -TERM "$broker"
	wait "$broker"
	wait "$listener"
	grep -qx STOPPING=1 told
}

@test "readiness goes to an abstract socket as well" {
	perl -MSocket -e '
		socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un("\0$ARGV[0]")) or die;
		open(my $up, ">", "listening"); close $up; recv($s, my $m, 4096, 0); print "$m\n"
	' "$INVCTL_TABLE" >told 3>&- &
	STARTED_PIDS+=("$!")
	retry test -e listening
	NOTIFY_SOCKET=@$INVCTL_TABLE serve
	retry grep -qx READY=1 told
}

@test "in the foreground lines carry the time, but not in the journal" {
	serve
	run -0 grep -Ec '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+-][0-9]{4} invbroker: made table' broker.log
	kill -TERM "$BROKER"
	wait "$BROKER"
	: >journal
	local stream
	stream=$(stat -c '%d:%i' journal)
	JOURNAL_STREAM=$stream "$INVBROKER" --foreground 2>>journal 3>&- &
	STARTED_PIDS+=("$!")
	retry grep -q '^invbroker: made table' journal
}

@test "in the background it logs to a file of its own, mode 0600" {
	run -0 "$INVBROKER"
	local log
	log=$(find "$INVCTL_STATE_DIR" -name broker.log)
	assert_equal "$(stat -c %a "$log")" 600
	grep -q "made table '$INVCTL_TABLE'" "$log"
}

@test "a stopped broker holds nobody up, and keeps a second one away" {
	serve
	kill -STOP "$BROKER"
	start sleep 1000
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	run -0 "$INVBROKER" --ready-fd=4 4>answer
	assert_equal "$(cat answer)" "ok already served by pid $BROKER"
	kill -CONT "$BROKER"
	run_ends_with 122
}

@test "SIGTERM to an idle broker leaves nothing in /dev/shm" {
	serve
	kill -TERM "$BROKER"
	wait "$BROKER"
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
	is_in_log 'is removed: nothing lives in it'
}

@test "SIGTERM leaves what has ended and is kept" {
	serve
	ID=$(new_id)
	run -0 "$INVCTL" run --id="$ID" true
	kill -TERM "$BROKER"
	wait "$BROKER"
	run -0 "$INVCTL" wait "$ID"
}

@test "bad table names are refused" {
	local name
	for name in '' . .. a/b 'a b' $'a\nb' "$(printf 'x%.0s' {1..65})"; do
		run --separate-stderr -2 "$INVBROKER" "--table=$name"
		[[ $stderr == *"is no table name"* ]]
	done
	INVCTL_TABLE='a b' run --separate-stderr -2 "$INVBROKER"
	[[ $stderr == *"'a b' in INVCTL_TABLE"* ]]
	rm -f "/dev/shm/$(printf 'x%.0s' {1..64})"
}

@test "bad options are refused with 2, and nothing is made" {
	local option
	for option in --capacity=0 --capacity=1048577 --capacity=-1 --capacity=ten --capacity=1e3 \
		--retain=soon --retain=-1 --mode=0666 --group=no-such-group-here --ready-fd=99 \
		--mode=0600\ --group=0 --nonsense argument; do
		run --separate-stderr -2 "$INVBROKER" $option
		[[ $stderr == "invbroker: "* ]]
	done
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "a planted FIFO, symbolic link and directory are refused, and stay" {
	mkfifo -m 0600 "/dev/shm/$INVCTL_TABLE"
	refuses_planted 116 "is a FIFO"
	rm "/dev/shm/$INVCTL_TABLE"
	ln -s /dev/zero "/dev/shm/$INVCTL_TABLE"
	refuses_planted 116 "is a symbolic link"
	rm "/dev/shm/$INVCTL_TABLE"
	mkdir "/dev/shm/$INVCTL_TABLE"
	refuses_planted 116 "is a directory"
	rmdir "/dev/shm/$INVCTL_TABLE"
}

@test "a segment of mode 0666, of garbage, empty, and cut short is refused, and stays" {
	serve
	kill -KILL "$BROKER"
	wait "$BROKER" || true
	chmod 0666 "/dev/shm/$INVCTL_TABLE"
	refuses_planted 118 "mode 0666"
	chmod 0600 "/dev/shm/$INVCTL_TABLE"
	truncate -s -4096 "/dev/shm/$INVCTL_TABLE"
	refuses_planted 116 "is damaged"
	head -c 100000 /dev/urandom >"/dev/shm/$INVCTL_TABLE"
	refuses_planted 116 "is damaged"
	: >"/dev/shm/$INVCTL_TABLE"
	refuses_planted 116 "is damaged"
}

@test "a segment of another version is refused" {
	serve
	kill -KILL "$BROKER"
	wait "$BROKER" || true
	printf '\377' | dd of="/dev/shm/$INVCTL_TABLE" bs=1 seek=8 conv=notrunc status=none
	refuses_planted 116 "another version"
}

@test "another user's segment is refused, and stays" {
	((EUID == 0)) || skip "only root can plant one"
	(umask 077 && : >"/dev/shm/$INVCTL_TABLE")
	chown nobody "/dev/shm/$INVCTL_TABLE"
	refuses_planted 118 "belongs to user"
}

@test "a /dev/shm that is full: a sentence with the remedy, and nothing left" {
	need_mount_namespace
	run --separate-stderr in_mount_namespace sh -c '
		mount -t tmpfs -o size=1m none /dev/shm || exit
		"$INVBROKER"
		echo "$? $(ls /dev/shm | wc -l)"'
	assert_equal "$output" "116 0"
	[[ $stderr == *"no room for table"*"--shm-size"*"--capacity"* ]]
}

@test "a table for two is full with two, and has room again when one has ended" {
	serve --capacity=2 --retain=0
	start sleep 1000
	local first=$ID
	start sleep 1000
	run -117 "$INVCTL" run true
	assert_output --partial "table '$INVCTL_TABLE' is full"
	assert_output --partial "--capacity"
	# Nothing is lost by it.
	assert_equal "$("$INVCTL" list --json | jq length)" 2
	run -0 "$INVCTL" cancel --wait=20s "$first"
	retry "$INVCTL" run true
}

@test "what has ended is retired after --retain, with its run file, and no timer runs then" {
	serve --retain=100ms
	ID=$(new_id)
	run -0 "$INVCTL" run --id="$ID" true
	is_retired() {
		local status=0
		"$INVCTL" show "$ID" 2>/dev/null || status=$?
		((status == 113))
	}
	retry is_retired
	no_run_file() {
		[[ -z $(find "$INVCTL_STATE_DIR" -name "$ID.run") ]]
	}
	retry no_run_file
	is_idle() {
		! timer_is_armed "$BROKER"
	}
	retry is_idle
}

@test "no timer runs in an empty table, nor while an action runs" {
	serve
	run -1 timer_is_armed "$BROKER"
	start sleep 1000
	run -1 timer_is_armed "$BROKER"
}

# How often any of its threads has gone to sleep.
sleeps_of() {
	awk '/^voluntary_ctxt_switches/ { sum += $2 } END { print sum }' /proc/"$1"/task/*/status
}

@test "nothing wakes the broker while actions run and nothing happens" {
	serve
	start sleep 1000
	# Longer than any slice; what the start has brought may be under way in the first turn.
	is_asleep() {
		local before
		before=$(sleeps_of "$BROKER")
		command sleep 1.1
		[[ $(sleeps_of "$BROKER") == "$before" ]]
	}
	retry is_asleep
}

@test "logs and output of old invocations are removed at the start, others stay" {
	serve
	start sleep 1000
	local directory old young
	directory=$(dirname "$(find "$INVCTL_STATE_DIR" -name "$ID.run")")
	old=$(new_id)
	young=$(new_id)
	touch "$directory/$young.log" "$directory/notes.log" "$directory/$ID.log"
	touch -d '31 days ago' "$directory/$old.log" "$directory/$old.out" "$directory/notes.log" \
		"$directory/$ID.log"
	kill -TERM "$BROKER"
	wait "$BROKER"
	serve
	retry test ! -e "$directory/$old.log"
	retry test ! -e "$directory/$old.out"
	[[ -e $directory/$young.log && -e $directory/notes.log && -e $directory/$ID.log ]]
}

@test "what may only look old, because the clock jumped, is kept for 30 more days" {
	serve
	run -0 "$INVCTL" run true
	local directory=$INVCTL_STATE_DIR/$INVCTL_TABLE old seconds
	old=$(new_id)
	# As if the clock had been set forward since: no file is younger.
	touch -d '31 days ago' "$directory"/* "$directory/$old.log"
	kill -TERM "$BROKER"
	wait "$BROKER"
	# It looks at the files before it handles its end.
	again() {
		serve
		kill -TERM "$BROKER"
		wait "$BROKER"
		[[ ! -e $directory/kept-until ]] || seconds=$(($(stat -c %Y "$directory/kept-until") - EPOCHSECONDS))
	}
	again
	[[ -e $directory/$old.log ]]
	((seconds > 29 * 86400 && seconds <= 30 * 86400))
	# Others' activity meanwhile ends it no sooner.
	touch "$directory/$(new_id).log"
	touch -d '1 day' "$directory/kept-until"
	again
	[[ -e $directory/$old.log ]]
	((seconds > 0 && seconds <= 86400))
	# Set back again.
	touch -d '90 days' "$directory/kept-until"
	again
	((seconds > 29 * 86400 && seconds <= 30 * 86400))
	touch -d '1 minute ago' "$directory/kept-until"
	again
	[[ ! -e $directory/kept-until && ! -e $directory/$old.log ]]
}

@test "the name removed while it is served: told, and run, list and cancel work on" {
	serve
	start sleep 1000
	rm "/dev/shm/$INVCTL_TABLE"
	retry is_in_log "was removed while the table is in use.*enable-linger.*RemoveIPC=no"
	[[ $("$INVCTL" list --json | jq -r '.[].id') == "$ID" ]]
	run -0 "$INVCTL" run true
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	run_ends_with 122
	kill -TERM "$BROKER"
	wait "$BROKER"
}

@test "clients that only connect do not hold the socket up" {
	serve
	rm "/dev/shm/$INVCTL_TABLE"
	perl -MSocket -e '
		open(my $u, "<", "/proc/net/unix"); my ($name) = grep { /\Q$ARGV[0]\E/ } <$u>;
		$name =~ s/.* @//; chomp $name; my @s;
		for (1 .. 300) { socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
			connect($s, pack_sockaddr_un("\0$name")) or die; push @s, $s }
		open(my $up, ">", "connected"); close $up; sleep 1000
	' "$INVCTL_TABLE" 3>&- &
	STARTED_PIDS+=("$!")
	retry test -e connected
	run -0 "$INVCTL" run true
}

@test "a segment that is cut short ends the broker with a sentence, not with SIGBUS" {
	serve
	truncate -s 0 "/dev/shm/$INVCTL_TABLE"
	local status=0
	wait "$BROKER" || status=$?
	assert_equal "$status" 116
	is_in_log "was changed in size by somebody"
}

@test "with few descriptors every owner is looked after" {
	local ids=() pids=()
	"$INVBROKER" --version >/dev/null
	(
		ulimit -n 32 || exit 1
		exec "$INVBROKER" --foreground 2>broker.log 3>&-
	) &
	BROKER=$!
	STARTED_PIDS+=("$BROKER")
	retry is_served_by "$BROKER"
	for _ in {1..24}; do
		start sleep 1000
		ids+=("$ID")
		pids+=("$RUN_PID" "$(field "$ID" .pid)")
	done
	retry is_in_log "can't be watched one by one"
	kill -KILL "${pids[@]}"
	for ID in "${ids[@]}"; do
		run -125 "$INVCTL" wait --timeout=20s "$ID"
	done
	kill -0 "$BROKER"
}

@test "a shared table: mode 0660, for the group's members, and for nobody else" {
	((EUID == 0)) || skip "only root can be several users"
	chmod 0755 "$BATS_TEST_TMPDIR"
	serve --group=12345
	assert_equal "$(stat -c '%a %g' "/dev/shm/$INVCTL_TABLE")" "660 12345"
	start sleep 1000
	as() {
		INVCTL_STATE_DIR=/nonexistent setpriv --reuid=23456 --regid="$1" --clear-groups "${@:2}"
	}
	as 54321 test -x "$INVCTL" || skip "the build is not readable for others"
	run as 54321 "$INVCTL" cancel "$ID"
	assert_failure
	assert_output --partial "table '$INVCTL_TABLE' is not yours"
	field_is "$ID" .status running
	run -0 as 12345 "$INVCTL" cancel --wait=20s "$ID"
	run_ends_with 122
}

@test "a shared table: another user's action that lost its supervisor is watched, not signalled" {
	((EUID == 0)) || skip "only root can be several users"
	chmod 0755 "$BATS_TEST_TMPDIR"
	mkdir -m 0777 theirs
	serve --group=12345
	ID=$(new_id)
	INVCTL_STATE_DIR=$PWD/theirs setpriv --reuid=23456 --regid=12345 --clear-groups \
		"$INVCTL" run --id="$ID" sleep 1000 3>&- &
	RUN_PID=$!
	retry field_is "$ID" .status running
	kill_supervisor
	retry is_in_log "$ID .*has lost its supervisor.*another user's"
	run -119 "$INVCTL" cancel --kill --wait=300ms "$ID"
	kill -0 "$ACTION"
	field_is "$ID" .cancel.state requested
	kill -KILL "$ACTION"
	run -122 "$INVCTL" wait --timeout=20s "$ID"
}

@test "a shared table stays shared, a private one private" {
	serve --group=12345
	kill -KILL "$BROKER"
	wait "$BROKER" || true
	serve
	assert_equal "$(stat -c '%a' "/dev/shm/$INVCTL_TABLE")" 660
	kill -TERM "$BROKER"
	wait "$BROKER"
	serve
	kill -KILL "$BROKER"
	wait "$BROKER" || true
	run --separate-stderr -118 "$INVBROKER" --group=12345
	[[ $stderr == *"not shared with group 12345"* ]]
}

@test "another user who sits on the socket's name does not keep the table from being served" {
	((EUID == 0)) || skip "only root can be several users"
	serve
	local name
	name=$(grep -F "$INVCTL_TABLE" /proc/net/unix | sed 's/.* @//')
	kill -TERM "$BROKER"
	wait "$BROKER"
	setpriv --reuid=23456 --regid=23456 --clear-groups perl -MSocket -e '
		socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; bind($s, pack_sockaddr_un("\0$ARGV[0]")) or die;
		listen($s, 5) or die; $| = 1; print "sits\n"; sleep 1000
	' "$name" >squatter 3>&- &
	STARTED_PIDS+=("$!")
	retry grep -q sits squatter
	serve
	is_in_log "somebody else sits on the socket name"
	run -0 "$INVCTL" run true
	run --separate-stderr -118 "$INVBROKER"
	[[ $stderr == *"is served by pid $BROKER"* ]]
}

# calls_of FILE CALLS COMMAND...: in the background, with those system calls of it in FILE.
calls_of() {
	strace -f -qq -o "$1" -e trace="$2" "${@:3}" 2>>"$BATS_TEST_TMPDIR/broker.log" 3>&- &
	STARTED_PIDS+=("$!")
}

@test "a process that binds the socket's name and does not listen delays no start" {
	strace -o /dev/null true || skip "no tracing is permitted here"
	perl -MSocket -e '
		socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; bind($s, pack_sockaddr_un("\0$ARGV[0]")) or die;
		$| = 1; print "sits\n"; sleep 1000
	' "invctl/$(id -u)/$INVCTL_TABLE" >squatter 3>&- &
	STARTED_PIDS+=("$!")
	retry grep -q sits squatter
	calls_of calls connect "$INVBROKER" --foreground
	has_broker() {
		[[ -n $(broker_pid) ]]
	}
	retry has_broker
	# A few tries, and not until a time is over.
	assert [ "$(grep -c '@"invctl/' calls)" -le 10 ]
	retry is_in_log "somebody else sits on the socket name"
	run -0 "$INVCTL" run true
	run --separate-stderr -118 "$INVBROKER"
	[[ $stderr == *"is served by pid $(broker_pid)"* ]]
}

@test "a second broker knows at once that a stopped one has the table" {
	strace -o /dev/null true || skip "no tracing is permitted here"
	serve
	kill -STOP "$BROKER"
	calls_of calls poll "$INVBROKER" --foreground --ready-fd=4 4>answer
	retry grep -qx "ok already served by pid $BROKER" answer
	# It waits for an answer for a moment, and does not need it.
	assert [ "$(sed -n 's/.*POLLIN.*, \([0-9]*\)) = 0 (Timeout).*/\1/p' calls | awk '{ sum += $1 } END { print sum + 0 }')" -le 100 ]
	kill -CONT "$BROKER"
}

# die_behind_stopped_broker COUNT: runs whose end the broker does not see; their ids in $IDS.
die_behind_stopped_broker() {
	local i pids=()
	IDS=()
	serve
	for ((i = 0; i < $1; i++)); do
		start sleep 1000
		IDS+=("$ID")
		pids+=("$RUN_PID" "$(field "$ID" .pid)")
	done
	kill -STOP "$BROKER"
	kill -KILL "${pids[@]}"
	for i in "${pids[@]}"; do
		retry process_is_gone "$i"
	done
}

@test "the broker stopped, then supervisor and action killed: cancel, show, wait and list tell of the end" {
	die_behind_stopped_broker 4
	run -115 "$INVCTL" cancel "${IDS[0]}"
	field_is "${IDS[1]}" .cause lost
	run -125 "$INVCTL" wait --timeout=20s "${IDS[2]}"
	assert_equal "$("$INVCTL" list --json)" "[]"
	kill -CONT "$BROKER"
}

@test "the broker stopped while a wait is under way, then supervisor and action killed: the wait ends" {
	serve
	start sleep 1000
	"$INVCTL" wait "$ID" 3>&- &
	local waiter=$! status=0
	STARTED_PIDS+=("$waiter")
	kill -STOP "$BROKER"
	kill -KILL "$RUN_PID" "$(field "$ID" .pid)"
	retry process_is_gone "$waiter"
	wait "$waiter" || status=$?
	assert_equal "$status" 125
	kill -CONT "$BROKER"
}

@test "the broker stopped, then the supervisor killed: its action is not lost, and the broker takes it over" {
	serve
	start sleep 1000
	kill -STOP "$BROKER"
	kill_supervisor
	run -119 "$INVCTL" wait --timeout=1s "$ID"
	field_is "$ID" .status running
	kill -CONT "$BROKER"
	retry is_in_log "$ID .*has lost its supervisor"
	run -0 "$INVCTL" cancel --wait=20s "$ID"
	process_is_gone "$ACTION"
}

@test "a user namespace that does not map the table's owner: said so, and nothing to remove" {
	unshare -U true 2>/dev/null || skip "no user namespace is permitted here"
	serve
	run --separate-stderr -118 unshare -U "$INVCTL" --table="$INVCTL_TABLE" list
	[[ $stderr == *"this user namespace does not map the owner of /dev/shm/$INVCTL_TABLE"* ]]
	[[ $stderr != *damaged* && $stderr != *"rm /dev/shm"* ]]
	run --separate-stderr -118 unshare -U "$INVBROKER"
	[[ $stderr == *"this user namespace does not map the owner"* && $stderr != *"rm /dev/shm"* ]]
	is_served_by "$BROKER"
}

@test "no message advises to remove a segment that a process uses" {
	serve
	start sleep 1000
	chmod 0666 "/dev/shm/$INVCTL_TABLE"
	run --separate-stderr -118 "$INVCTL" list
	[[ $stderr == *"mode 0666"*"processes still use it"* && $stderr != *"rm /dev/shm"* ]]
	# Damaged, with what uses it still there: the broker and the supervisor.
	chmod 0600 "/dev/shm/$INVCTL_TABLE"
	printf x | dd of="/dev/shm/$INVCTL_TABLE" bs=1 seek=0 conv=notrunc status=none
	run --separate-stderr -116 "$INVCTL" list
	[[ $stderr == *"is damaged"*"processes still use it"* && $stderr != *"rm /dev/shm"* ]]
	local action
	action=$(pgrep -P "$RUN_PID")
	kill -KILL "$RUN_PID" "$BROKER" "$action"
	retry process_is_gone "$RUN_PID"
	retry process_is_gone "$BROKER"
	run --separate-stderr -116 "$INVCTL" list
	[[ $stderr == *"is damaged"*"no process uses it: remove it with 'rm /dev/shm/$INVCTL_TABLE'"* ]]
}

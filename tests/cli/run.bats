#!/usr/bin/env bats
# invctl run: options, exit statuses, registration, nesting, what the command is given.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers

@test "run exits as its command did" {
	run -0 "$INVCTL" run true
	run -1 "$INVCTL" run false
	run -7 "$INVCTL" run -- sh -c 'exit 7'
}

@test "a command that a signal killed is 128 plus the signal, and an error" {
	local id
	id=$(new_id)
	run -143 "$INVCTL" run --id="$id" sh -c 'kill -TERM $$'
	assert_equal "$(field "$id" .status)" error
	assert_equal "$(field "$id" .cause)" signal
	assert_equal "$(field "$id" .signal)" 15
}

@test "a command that is not found is 127, one that can't be executed 126: error, exec" {
	local id
	id=$(new_id)
	run -127 "$INVCTL" run --id="$id" no-such-command-anywhere
	assert_output --partial "'no-such-command-anywhere' can't be run"
	assert_equal "$(field "$id" .status)" error
	assert_equal "$(field "$id" .cause)" exec
	run -126 "$INVCTL" run /etc/passwd
	run -127 "$INVCTL" run ./none
}

@test "options end at COMMAND, with and without --" {
	run -0 "$INVCTL" run echo --name=x -k 3
	assert_output -- "--name=x -k 3"
	run -0 "$INVCTL" run -n a -- printf '%s|' --help -x
	assert_output -- "--help|-x|"
	run -0 "$INVCTL" run echo -- a
	assert_output -- "-- a"
}

@test "bad usage is 2 and names what is wrong" {
	run -2 "$INVCTL" run
	assert_output --partial "no COMMAND"
	run -2 "$INVCTL" run --id=zz true
	assert_output --partial "zz"
	run -2 "$INVCTL" run --id=00000000-0000-0000-0000-000000000000 true
	run -2 "$INVCTL" run --timeout=-1 true
	run -2 "$INVCTL" run --kill-after=1x true
	run -2 "$INVCTL" run --signal=NOSUCH true
	run -2 "$INVCTL" run --signal=KILL true
	run -2 "$INVCTL" run --no-such-option true
	run -2 "$INVCTL" run ''
}

@test "--no-kill refuses --kill-after with 118" {
	run -118 "$INVCTL" run --no-kill --kill-after=1 true
	assert_output --partial "--no-kill"
}

@test "--help names every option and exits 0" {
	run -0 "$INVCTL" run --help
	local option
	for option in name id timeout signal signal-after stop kill-after no-kill detach id-file \
		no-parent preserve-status nested-wait; do
		assert_output --partial -- "--$option"
	done
}

@test "signals are taken by name with and without SIG, and by number" {
	local signal
	for signal in USR1 SIGUSR1 usr1 10; do
		start --signal=$signal \
			sh -c 'trap "exit 33" USR1; touch trapped; while :; do sleep 0.02; done'
		retry rm trapped
		"$INVCTL" cancel "$ID"
		ended_with 122
		assert_equal "$(field "$ID" .exitStatus)" 33
	done
}

@test "--name is the command's by default, without its directory" {
	local id
	id=$(new_id)
	"$INVCTL" run --id="$id" /bin/true
	assert_equal "$(field "$id" .action)" true
	id=$(new_id)
	"$INVCTL" run --id="$id" -n 'a scan' /bin/true
	assert_equal "$(field "$id" .action)" 'a scan'
}

@test "--id in any case is the invocation's; taken by a live or kept one it is 125" {
	local id
	id=$(new_id)
	run -0 "$INVCTL" run --id="${id^^}" sh -c 'echo $INVCTL_ID'
	assert_output "$id"
	run -125 "$INVCTL" run --id="$id" true
	assert_output --partial "$id is taken"
	start sleep 100
	run -125 "$INVCTL" run --id="$ID" true
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "the command gets INVCTL_ID and INVCTL_TABLE, and list knows its words and directory" {
	local id
	id=$(new_id)
	run -0 "$INVCTL" run --id="$id" sh -c 'echo "$INVCTL_ID $INVCTL_TABLE"' x 'a b'
	assert_output "$id $INVCTL_TABLE"
	assert_equal "$(field "$id" '.command[-1]')" 'a b'
	assert_equal "$(field "$id" .cwd)" "$PWD"
}

@test "the record tells times, exit status and cause" {
	local id
	id=$(new_id)
	run -5 "$INVCTL" run --id="$id" sh -c 'exit 5'
	assert_equal "$(field "$id" .status)" error
	assert_equal "$(field "$id" .cause)" exit
	assert_equal "$(field "$id" .exitStatus)" 5
	assert_equal "$(field "$id" '.timeStarted != null and .timeCompleted >= .timeStarted')" true
}

@test "the command has a process group of its own and no descriptors but the caller's" {
	run -0 "$INVCTL" run sh -c 'ps -o pgid= -p $$; echo $$; ls /proc/self/fd | wc -l' 3>&-
	local ours
	ours=$(sh -c 'ls /proc/self/fd | wc -l' 3>&-)
	assert_equal "$((lines[0]))" "$((lines[1]))"
	assert_equal "${lines[2]}" "$ours"
	# What the caller hands on is handed on.
	run -0 "$INVCTL" run sh -c 'echo through >&7' 7>seven
	assert_equal "$(cat seven)" through
}

@test "closed standard descriptors stay closed for the command" {
	local fd
	for fd in 0 1 2; do
		run -0 "$INVCTL" run sh -c "eval 'exec $fd>&-'; '$INVCTL' run test ! -e /proc/self/fd/$fd"
	done
	"$INVCTL" run sh -c 'for fd in 0 1 2; do [ -e /proc/$$/fd/$fd ] && exit 1; done; exit 0' \
		<&- >&- 2>&-
}

# The command's blocked, ignored and caught signals are those it has when started without
# `run`, whatever the tests themselves were started with. COMMAND… starts what follows it.
assert_same_signals() { # COMMAND…
	local report=(grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status)
	run -0 "$@" "${report[@]}"
	local without=$output
	run -0 "$@" "$INVCTL" run "${report[@]}"
	assert_output "$without"
}

@test "signals: defaults in the command, what was ignored stays ignored, the mask is kept" {
	# A sanitizer would have these for itself.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0
	assert_same_signals env --default-signal
	assert_same_signals env --ignore-signal=HUP,PIPE
	assert_same_signals env --block-signal=USR1,TERM
	assert_same_signals env --ignore-signal --block-signal
}

# 33 is the C library's own, which catches it once a program has a thread; a program whose parent
# is none of that library may have it ignored. The arguments: the number of rt_sigaction(2).
IGNORE_33='
import ctypes, os, sys
call = {"x86_64": 13, "aarch64": 134}[os.uname().machine]
ignore = (ctypes.c_ulong * 4)(1, 0, 0, 0)
if ctypes.CDLL(None).syscall(call, 33, ignore, None, ctypes.c_size_t(8)) != 0:
    sys.exit("signal 33 can not be ignored")
os.execvp(sys.argv[1], sys.argv[1:])
'

@test "signals: one that is the C library's own stays ignored as well" {
	assert_same_signals python3 -c "$IGNORE_33"
	run -0 python3 -c "$IGNORE_33" "$INVCTL" run grep SigIgn /proc/self/status
	assert_output --regexp '[1-9bdf][0-9a-f]{8}$'
}

@test "--id-file is complete before the command starts" {
	local id
	id=$(new_id)
	run -0 "$INVCTL" run --id="$id" --id-file=the-id cat the-id
	assert_output "$id"
	run -0 ls
	refute_output --regexp 'the-id\.'
}

@test "an --id-file that can't be written is 125 and starts nothing" {
	run -125 "$INVCTL" run --id-file=none/such touch started
	assert_output --partial "none/such"
	mkdir directory
	run -125 "$INVCTL" run --id-file=directory touch started
	assert_output --partial "nothing was started"
	[[ ! -e started ]]
	run -0 ls
	refute_output --regexp 'directory\.'
}

@test "--detach prints the id once executed, and nothing of the caller's is kept open" {
	# The pipe of this substitution would stay open, and with it this line, until 30 s are over.
	local id before=$SECONDS
	id=$("$INVCTL" run -d sh -c 'echo said; echo complained >&2; exec sleep 30' 3>&-)
	((SECONDS - before < 20))
	assert_equal "$(field "$id" .status)" running
	retry grep -q complained "$INVCTL_STATE_DIR/$INVCTL_TABLE/$id.out"
	grep -q said "$INVCTL_STATE_DIR/$INVCTL_TABLE/$id.out"
	local pid
	pid=$(field "$id" .pid)
	assert_equal "$(readlink /proc/"$pid"/fd/0)" /dev/null
	[[ $(ps -o sid= -p "$pid") != $(ps -o sid= -p $$) ]]
	"$INVCTL" cancel --wait=20 "$id"
	assert_equal "$(field "$id" .status)" cancelled
}

@test "--detach reports that registering failed" {
	start sleep 100
	run -125 "$INVCTL" run -d --id="$ID" true
	assert_output --partial "is taken"
	"$INVCTL" cancel "$ID"
	ended_with 122
	run -116 env INVCTL_AUTOSTART=0 "$INVCTL" --table="none-$$-$RANDOM" run -d true
}

@test "--detach of a command that can't be executed is 126 or 127, prints no id, and is recorded" {
	local id name expected=127
	touch plain
	for name in no-such-command ./plain; do
		id=$(new_id)
		run "-$expected" --separate-stderr "$INVCTL" run -d --id="$id" "$name"
		assert_output ''
		[[ $stderr == *"'$name' can't be run"* ]]
		retry field_is "$id" .cause exec
		expected=126
	done
}

@test "without a table, and with no broker to be started, run is 116" {
	run -116 env INVCTL_AUTOSTART=0 "$INVCTL" --table="none-$$-$RANDOM" run true
}

@test "what runs inside has the invocation around it as parent" {
	local parent child
	parent=$(new_id) child=$(new_id)
	"$INVCTL" run --id="$parent" "$INVCTL" run --id="$child" true
	assert_equal "$(field "$child" .parent)" "$parent"
	child=$(new_id)
	"$INVCTL" run --id="$(new_id)" "$INVCTL" run --no-parent --id="$child" true
	assert_equal "$(field "$child" .parent)" null
}

@test "a broken context is warned of and is no parent" {
	local id gone
	id=$(new_id) gone=$(new_id)
	"$INVCTL" run --id="$gone" true
	run -0 env INVCTL_ID="$gone" "$INVCTL" run --id="$id" echo ran
	assert_output --partial "has ended"
	assert_line ran
	assert_equal "$(field "$id" .parent)" null
	run -0 env INVCTL_ID="$(new_id)" "$INVCTL" run echo ran
	assert_output --partial "names no invocation"
	run -0 env INVCTL_ID=rubbish "$INVCTL" run echo ran
	assert_output --partial "is no UUID"
	assert_line ran
}

@test "INVCTL_ID under another --table is no context" {
	local id other=$INVCTL_TABLE-other
	id=$(new_id)
	run -0 "$INVCTL" run "$INVCTL" --table="$other" run --id="$id" true
	assert_output ''
	assert_equal "$("$INVCTL" --table="$other" show --json "$id" | jq -r .parent)" null
	INVCTL_TABLE=$other end_broker
	rm -f "/dev/shm/$other"
}

@test "while its context's request is pending a run is refused: not started, 122, recorded" {
	local refused
	refused=$(new_id)
	start --signal=none sh -c "while [ ! -e go ]; do sleep 0.02; done
		'$INVCTL' run --id=$refused touch started 2>message; echo \$? >status
		'$INVCTL' run touch started 2>/dev/null; echo \$? >again"
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 122
	assert_equal "$(cat status again | xargs)" "122 122"
	grep -q "was not started" message
	[[ ! -e started ]]
	assert_equal "$(field "$refused" .status)" cancelled
	assert_equal "$(field "$refused" .parent)" "$ID"
	# A refusal delivers nothing.
	assert_equal "$(field "$ID" .cancel.state)" requested
}

@test "a fan-out under a pending request: one short line for each that is refused" {
	start --signal=none sh -c "while [ ! -e go ]; do sleep 0.02; done
		seq 8 | xargs -P 8 -n 1 '$INVCTL' run --name=fit touch 2>messages; exit 0"
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 122
	assert_equal "$(sort -u messages)" "invctl: 'fit' was not started: cancelled (${ID:0:8})"
	assert_equal "$(wc -l <messages)" 8
	[[ ! -e 1 && ! -e 8 ]]
}

@test "--timeout=0 and --kill-after=0 are no limit" {
	start -t 0 -k 0 sh -c 'trap "touch signalled" TERM; touch up; until [ -e go ]; do sleep 0.02; done'
	retry test -e up
	assert_equal "$(field "$ID" .deadline)" null
	run -119 "$INVCTL" cancel --wait=300ms "$ID"
	touch go
	ended_with 122
	# Nor do they contradict --no-kill.
	run -0 "$INVCTL" run --no-kill --kill-after=0 true
}

@test "an empty --stop is a usage error" {
	local value
	for value in '' ' '; do
		run -2 "$INVCTL" run --stop="$value" touch started
		assert_output --partial "--stop is empty"
	done
	[[ ! -e started ]]
}

@test "with INVCTL_AUTOSTART=0 no advice names 'invctl run', which would make no table" {
	local table=none-$$-$RANDOM command
	for command in "run true" "status" "log --id=abcd text"; do
		# shellcheck disable=SC2086  # several words on purpose
		INVCTL_AUTOSTART=0 run "$INVCTL" --table="$table" $command
		assert_failure
		refute_output --partial "'invctl run'"
	done
	INVCTL_AUTOSTART=0 run -116 "$INVCTL" --table="$table" run true
	assert_output --partial "INVCTL_AUTOSTART=0 forbids"
	assert_output --partial "'invbroker --table=$table'"
	run -116 "$INVCTL" --table="$table" status
	assert_output --partial "'invctl run' makes one"
}

@test "a broker that is not installed is named where run can't start one" {
	[[ ! -e /usr/local/libexec/invctl/invbroker && ! -e /usr/local/bin/invbroker ]] || skip "one is installed"
	mkdir alone
	cp "$INVCTL" alone
	PATH=/usr/bin:/bin run -116 alone/invctl --table="none-$$-$RANDOM" run true
	assert_output --partial "invbroker, which makes table"
	assert_output --partial "is missing"
}

@test "a taken --id: the message says whether that one is live or has ended" {
	start -- sleep 1000
	run -125 "$INVCTL" run --id="$ID" true
	assert_output --partial "is live"
	"$INVCTL" cancel --wait=20s "$ID"
	run -125 "$INVCTL" run --id="$ID" true
	assert_output --partial "has ended and is still in the table"
}

@test "--preserve-status exits as the command did" {
	run -143 "$INVCTL" run --preserve-status --timeout=0.05 sleep 100
	run -9 "$INVCTL" run --preserve-status --timeout=1 \
		sh -c 'trap "exit 9" TERM; while :; do sleep 0.02; done'
}

@test "twenty at once on a fresh table all run, with one broker" {
	local pids=() pid i
	for i in $(seq 20); do
		"$INVCTL" run -n "run-$i" sh -c "echo \$INVCTL_ID >>ids" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	assert_equal "$(sort -u ids | wc -l)" 20
	assert_equal "$("$INVCTL" list --all --json | jq 'map(select(.status == "completed")) | length')" 20
}

@test "what the state directory can't store does not keep a command from running" {
	touch file
	INVCTL_STATE_DIR=$PWD/file run -0 "$INVCTL" run echo ran
	assert_line ran
	assert_output --partial "INVCTL_STATE_DIR"
}

@test "a limit on the size of files stops no run: what can't be stored is reported or counted" {
	"$INVBROKER" 3>&-
	ID=$(new_id)
	# shellcheck disable=SC2016  # expanded by the inner shell
	run -7 bash -c 'ulimit -f 0; "$INVCTL" run --id="$1" sh -c "\"\$INVCTL\" log text; exit 7"' - "$ID"
	assert_output --partial "can't be stored (File too large)"
	assert_output --partial "the log could not be written: File too large"
	assert_equal "$(field "$ID" .status)" error
	assert_equal "$("$INVCTL" status --json | jq '.problems | map(select(startswith("1 log records"))) | length')" 1
}

@test "--id-file replaces no device, FIFO, link or socket" {
	local path
	mkfifo fifo
	: >target
	ln -s target link
	((EUID != 0)) || mknod device c 1 3 || skip "no device can be made here"
	for path in fifo link device; do
		[[ -e $path ]] || continue
		ls -l --time-style=+ "$path" >before
		run -125 "$INVCTL" run --id-file="$path" touch started
		assert_output --partial "'$path' is no regular file"
		ls -l --time-style=+ "$path" | diff before -
	done
	[[ ! -e started && ! -s target ]]
	run -0 "$INVCTL" run --id-file=target true
	[[ -s target ]]
}

@test "without /proc run names that, and not a table that is missing" {
	start sleep 1000
	unshare -m true || skip "no mounts of its own here"
	! is_sanitized || skip "the sanitizer's runtime needs /proc"
	# shellcheck disable=SC2016  # expanded by the inner shell
	run -116 unshare -m sh -c 'mount -t tmpfs none /proc && exec "$INVCTL" run touch started'
	assert_output --partial "/proc"
	refute_output --partial "there is no table"
	[[ ! -e started ]]
}

@test "seen from a time namespace with another boot time, a live run lives, and its orphan can be ended" {
	unshare --time --boottime 100000 true || skip "unshare(1) can't make a time namespace here"
	start sleep 1000
	run -0 unshare --time --boottime 100000 "$INVCTL" list --json --all
	assert_equal "$(jq -r '.[].status' <<<"$output")" running
	end_broker
	kill -KILL "$RUN_PID"
	retry process_is_gone "$RUN_PID"
	run -0 unshare --time --boottime 100000 "$INVCTL" cancel --wait=20s "$ID"
	assert_equal "$(field "$ID" .status)" cancelled
}

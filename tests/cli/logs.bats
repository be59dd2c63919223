#!/usr/bin/env bats
# invctl logs: log records and kept output in the order in which they happened, live and after.
# shellcheck disable=SC2154  # run sets output and stderr

load helpers

# detached SCRIPT: run it detached as 'act', and wait for its end. Prints its id.
detached() {
	local id
	id=$("$INVCTL" run --detach --name=act "${OPTIONS[@]}" -- sh -c "$1") || return
	"$INVCTL" wait --timeout=30s "$id" >&2 || true
	echo "$id"
}

# Without the times.
logs() {
	"$INVCTL" logs "$@" | sed -E 's/^[0-9-]{10} [0-9:.]{12}  ([a-z]+) +/<\1> /'
}

# What the file $1 has, but for the times.
plain() {
	sed -E 's/^[0-9-]{10} [0-9:.]{12}  ([a-z]+) +/<\1> /' "$1"
}

file_is() { # file text
	[[ $(plain "$1") == "$2" ]]
}

output_file() { # id
	echo "$INVCTL_STATE_DIR/$INVCTL_TABLE/$1.out"
}

@test "records and output of both descriptors come in the order in which they happened" {
	local id expected
	id=$(detached 'echo one; "$INVCTL" log -p warning two; echo three >&2; "$INVCTL" log four; "$INVCTL" log five; echo six')
	expected=$'one\n<warning> two\nthree\n<info> four\n<info> five\nsix'
	[[ $(logs "$id") == "$expected" ]]
	[[ $(logs act) == "$expected" ]]
	# A hundred times, so that an order by chance would show.
	id=$(detached 'for i in $(seq 1 100); do echo "$i"; "$INVCTL" log "$i"; done')
	[[ $(logs "$id") == "$(for i in $(seq 1 100); do printf '%s\n<info> %s\n' "$i" "$i"; done)" ]]
}

@test "a record within a line of output stands on a line of its own" {
	local id
	id=$(detached 'printf begin; "$INVCTL" log between; echo " end"; printf last')
	[[ $(logs "$id") == $'begin\n<info> between\n end\nlast' ]]
}

@test "into a pipe output is what was written, byte by byte" {
	local id
	head -c 300000 /dev/urandom >bytes
	id=$(detached 'cat bytes')
	"$INVCTL" logs "$id" >copy
	cmp bytes copy
	cmp bytes "$(output_file "$id")"
}

@test "on a terminal nothing of it acts: control characters are escaped, tabs and line ends stay" {
	detached 'printf "a\tb\033[2Jc\0d\r\nplain ä\n\302\2051\n"; "$INVCTL" log "$(printf "e\033[2Jf")"'
	run -0 script -qec "'$INVCTL' logs act" /dev/null
	[[ $output != *$'\033[2J'* && $output != *$'\302\205'* ]]
	assert_line --index 0 $'a\tb\\x1b[2Jc\\x00d'$'\r'
	assert_line --index 1 $'plain ä\r'
	assert_line --partial 'e\x1b[2Jf'
}

@test "--lines: the last ones of both; 0 is none; more than there are is all" {
	detached 'echo 1; "$INVCTL" log 2; echo 3; printf 4'
	[[ $(logs -n 3 act) == $'<info> 2\n3\n4' ]]
	[[ $(logs --lines=1 act) == 4 ]]
	[[ -z $(logs -n 0 act) ]]
	[[ $(logs -n 400 act) == $'1\n<info> 2\n3\n4' ]]
	detached 'seq 1 5000; "$INVCTL" log end'
	[[ $(logs -n 1001 act) == "$(seq 4001 5000)"$'\n<info> end' ]]
}

@test "--priority: records of that level and more severe ones; output is of level info" {
	detached 'echo out; for level in debug info warning error; do "$INVCTL" log -p $level $level; done'
	[[ $(logs -p debug act) == $'out\n<debug> debug\n<info> info\n<warning> warning\n<error> error' ]]
	[[ $(logs -p info act) == $'out\n<info> info\n<warning> warning\n<error> error' ]]
	[[ $(logs --priority=warning act) == $'<warning> warning\n<error> error' ]]
	[[ $(logs -p error act) == "<error> error" ]]
}

@test "--since: a duration or a time; output counts by the record behind it" {
	local id file now
	id=$(detached 'echo old; "$INVCTL" log first; echo new; "$INVCTL" log second; echo newest')
	[[ $(logs --since=1h act) == $'old\n<info> first\nnew\n<info> second\nnewest' ]]
	[[ $(logs --since=inf act) == $'old\n<info> first\nnew\n<info> second\nnewest' ]]
	# As if the first had been a day ago.
	file=$INVCTL_STATE_DIR/$INVCTL_TABLE/$id.log
	now=$(date +%s)
	awk -v then="$((now - 86400))000000000" 'NR == 1 { $1 = then } { print }' "$file" >changed
	cp changed "$file"
	for since in 1h "$(date -d '-1 hour' '+%F %T')" "$(date -d '-1 hour' +%FT%T.5%:z)" \
		"$(date -u -d '-1 hour' +%FT%H:%MZ)"; do
		[[ $(logs --since="$since" act) == $'new\n<info> second\nnewest' ]]
	done
	[[ $(logs --since="$(date -d '-2 days' +%F)" act) == old$'\n'* ]]
	[[ -z $(logs --since="$(date -d '+1 hour' '+%F %H:%M')" act) ]]
}

@test "--json: a line each, with level and message, and the time of a record" {
	detached 'printf "a\377b\n"; "$INVCTL" log -p error two; echo three'
	run -0 "$INVCTL" logs --json act
	[[ ${#lines[@]} == 3 ]]
	jq -se 'map(.level) == ["output", "error", "output"]
		and map(.message) == ["a\ufffdb", "two", "three"]
		and map(.time != null) == [false, true, false]' <<<"$output"
}

@test "--follow shows what comes, as it comes, and ends with the invocation" {
	mkfifo go
	local id follower
	id=$("$INVCTL" run --detach --name=scan -- sh -c '
		exec 3<go
		while read -r word <&3; do
			case $word in
			log) "$INVCTL" log logged ;;
			part) printf "part, " ;;
			*) echo "$word" ;;
			esac
		done')
	exec 5>go
	echo before >&5
	retry file_is "$(output_file "$id")" before
	"$INVCTL" logs --follow scan >seen 3>&- 5>&- &
	follower=$!
	STARTED_PIDS+=("$follower")
	retry file_is seen before
	echo log >&5
	retry file_is seen $'before\n<info> logged'
	echo part >&5
	retry file_is seen $'before\n<info> logged\npart, '
	echo rest >&5
	retry file_is seen $'before\n<info> logged\npart, rest'
	exec 5>&-
	retry process_is_gone "$follower"
	wait "$follower"
	file_is seen $'before\n<info> logged\npart, rest'
	[[ $(field "$id" .status) == completed ]]
}

@test "--follow with --lines begins with the last ones; of one that has ended it ends at once" {
	detached 'seq 1 5'
	[[ $(logs -f -n 2 act) == $'4\n5' ]]
	[[ $(logs -f act) == $'1\n2\n3\n4\n5' ]]
}

@test "--follow ends when its reader has gone" {
	start --name=scan -- sleep 1000
	"$INVCTL" log --id=scan first
	mkfifo pipe
	"$INVCTL" logs -f scan >pipe 3>&- &
	local follower=$!
	STARTED_PIDS+=("$follower")
	head -n 1 pipe | grep -q first
	retry process_is_gone "$follower"
	"$INVCTL" cancel scan
	ended_with 122
}

@test "--follow goes on through the rotation of the log" {
	start --name=scan -- sleep 1000
	"$INVCTL" logs -f scan >seen 3>&- &
	local follower=$!
	STARTED_PIDS+=("$follower")
	# 4 MB are one file.
	local i
	for i in 1 2 3 4 5 6; do
		seq -f "%0400.0f" $((i * 4000 - 3999)) $((i * 4000)) | "$INVCTL" log --id=scan -
		retry seen_lines $((i * 4000))
	done
	[[ -e $INVCTL_STATE_DIR/$INVCTL_TABLE/$ID.log.1 ]]
	"$INVCTL" cancel scan
	ended_with 122
	retry process_is_gone "$follower"
	cmp <(seq 1 24000) <(sed -E 's/.*info +0*//' seen)
}

seen_lines() {
	[[ $(wc -l <seen) == "$1" ]]
}

@test "after the end, and after the table has forgotten it: by its id" {
	local id
	id=$(detached 'echo kept; "$INVCTL" log logged')
	end_broker
	rm "/dev/shm/$INVCTL_TABLE"
	[[ $(logs "$id") == $'kept\n<info> logged' ]]
	[[ $(logs -f "$id") == $'kept\n<info> logged' ]]
	run -113 "$INVCTL" logs "$(new_id)"
	run -113 "$INVCTL" logs act
}

@test "an id that is used again has the log and output of its last invocation alone" {
	local id
	id=$(detached 'echo former; "$INVCTL" log former')
	end_broker
	rm "/dev/shm/$INVCTL_TABLE"
	"$INVCTL" run --id="$id" -- sh -c '"$INVCTL" log again'
	[[ $(logs "$id") == "<info> again" ]]
	[[ $(field "$id" .output) == null ]]
}

@test "one whose output is not kept and that has logged nothing is explained" {
	"$INVCTL" run --name=silent true
	run -0 --separate-stderr "$INVCTL" logs silent
	[[ -z $output && $stderr == "invctl: 'silent' has logged nothing"*"--detach"* ]]
	detached true
	run -0 --separate-stderr "$INVCTL" logs act
	[[ -z $output && -z $stderr ]]
}

@test "unknown is 113, ambiguous 114, wrong options 2" {
	run -113 --separate-stderr "$INVCTL" logs nothing
	[[ -z $output && $stderr == "invctl: no invocation 'nothing'"* ]]
	run -2 "$INVCTL" logs
	run -2 "$INVCTL" logs a b
	run -2 "$INVCTL" logs -n -1 a
	run -2 "$INVCTL" logs -p loud a
	run -2 "$INVCTL" logs --since=yesterday a
	assert_output --partial "09:30"
	start --name=twin -- sleep 1000
	start --name=twin -- sleep 1000
	run -114 "$INVCTL" logs twin
	"$INVCTL" cancel --all
	ended_with 122
}

@test "a link or a FIFO in the place of its files is not read" {
	local id
	id=$(detached 'echo kept')
	mv "$(output_file "$id")" elsewhere
	ln -s "$PWD/elsewhere" "$(output_file "$id")"
	run -125 --separate-stderr "$INVCTL" logs "$id"
	[[ -z $output && $stderr == *"can't be read"* ]]
	assert_equal "$(field "$id" .output)" null
	rm "$(output_file "$id")"
	mkfifo "$(output_file "$id")"
	run -125 "$INVCTL" logs "$id"
}

# How much of the disk it takes.
takes_at_most() { # file kilobytes
	(($(du -k "$1" | cut -f 1) <= $2))
}

@test "what a writer has written before --output-limit goes, and that is said" {
	local id
	OPTIONS=(--output-limit=1M)
	id=$(detached 'seq 1 1000000; "$INVCTL" log end')
	retry takes_at_most "$(output_file "$id")" 1100
	run -0 --separate-stderr "$INVCTL" logs -n 2 "$id"
	[[ -z $stderr && ${lines[0]} == 1000000 && ${lines[1]} == *end ]]
	run -0 --separate-stderr "$INVCTL" logs "$id"
	[[ $stderr == "invctl: 5.8 MB of output before this are no longer kept; "* ]]
	((${#output} >= 1024 * 1024))
	run -0 "$INVCTL" show "$id"
	assert_line --regexp '^Output .*, 6\.9 MB, of which the last 1\.[01] MB are kept$'
	[[ $(field "$id" .outputBytes) == 6888896 ]]
}

@test "a writer that never ends is kept within --output-limit, by the broker too when run is killed" {
	local id file
	id=$("$INVCTL" run --detach --output-limit=500K -- sh -c 'while seq 1 20000; do sleep 0.01; done')
	file=$(output_file "$id")
	retry has_grown_to "$file" 5000000
	retry takes_at_most "$file" 3000
	kill -KILL "$(field "$id" .ownerPid)"
	retry has_grown_to "$file" $(($(stat -c %s "$file") + 5000000))
	retry takes_at_most "$file" 3000
	"$INVCTL" cancel --wait=20s "$id"
	retry takes_at_most "$file" 600
}

has_grown_to() { # file bytes
	(($(stat -c %s "$1") >= $2))
}

@test "what the finish command writes is kept too, also where the broker runs it" {
	local id killed
	mkfifo gate
	for killed in false true; do
		id=$("$INVCTL" run --detach --finish='echo parked; "$INVCTL" log finished; echo closed >&2' -- \
			sh -c 'echo begun; read -r _ <gate')
		retry test -s "$(output_file "$id")"
		if $killed; then
			kill -KILL "$(field "$id" .ownerPid)"
			retry field_is "$id" .orphaned true
		fi
		echo >gate
		run "$INVCTL" wait --timeout=30s "$id"
		[[ $(logs "$id") == $'begun\nparked\n<info> finished\nclosed' ]]
	done
}

@test "--output-limit=inf keeps all; what is no size is 2" {
	local id size
	OPTIONS=(--output-limit=inf)
	id=$(detached 'seq 1 1000000')
	[[ $("$INVCTL" logs "$id" | md5sum) == "$(seq 1 1000000 | md5sum)" ]]
	for size in 0 -1 1X 1KK K '' 99999999999G; do
		run -2 "$INVCTL" run --output-limit="$size" -- true
		assert_output --partial "is no size"
	done
}

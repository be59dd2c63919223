#!/usr/bin/env bats
# invctl shield: inside nothing is delivered, and the next check after it delivers (contract 4.9);
# it exits as COMMAND did; --begin and --end belong to the calling shell.

load helpers

# Each line of the file "out" is what note's command said and its exit status.
setup() {
	setup_table
	cat >note.sh <<-'SCRIPT'
		note() { # label command...
			label=$1
			shift
			"$@"
			echo "$label $?" >>out
		}
		until_file() { until [ -e "$1" ]; do command sleep 0.02; done; }
	SCRIPT
}

# action [OPTION...] -- LINES: a shell script as an action, in the background.
action() {
	local options=()
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	printf '. ./note.sh\nuntil_file started\n%s\n' "$2" >action.sh
	rm -f started
	start "${options[@]}" -- sh ./action.sh
	touch started
}

out() {
	paste -sd, out
}

wait_for_file() {
	retry test -e "$1"
}

@test "it exits as COMMAND did: its status, its signal, 126, 127" {
	action -- 'note zero "$INVCTL" shield true
		note three "$INVCTL" shield sh -c "exit 3"
		note signal "$INVCTL" shield sh -c "kill -TERM \$\$"
		note denied "$INVCTL" shield /
		note missing "$INVCTL" shield no-such-command'
	ended_with 0
	assert_equal "$(out)" "zero 0,three 3,signal 143,denied 126,missing 127"
}

@test "a COMMAND that could not be run leaves no shield" {
	action -- '"$INVCTL" shield no-such-command; touch ready; until_file end; note check "$INVCTL" check'
	wait_for_file ready
	assert_equal "$(field "$ID" .shielded)" false
	"$INVCTL" cancel "$ID"
	touch end
	ended_with 0
	assert_equal "$(out)" "check 122"
}

@test "its options end at COMMAND" {
	run -0 "$INVCTL" shield echo --limit=5 -- --begin
	assert_output -- "--limit=5 -- --begin"
	run -0 "$INVCTL" shield --limit=1m -- echo --end
	assert_output -- "--end"
}

@test "what makes no sense is a usage error" {
	local words
	for words in "" "--limit=5" "--limit=x true" "--begin --end" "--begin true" "--end true" \
		"--end --limit=5" "--unknown true"; do
		# shellcheck disable=SC2086
		run -2 "$INVCTL" shield $words
		assert_output --partial "invctl shield --help"
	done
	run -2 "$INVCTL" shield ""
}

@test "outside any context COMMAND just runs, and --begin does nothing; INVCTL_REQUIRE=1 refuses" {
	run -7 "$INVCTL" shield sh -c 'exit 7'
	assert_output ""
	run -0 "$INVCTL" shield --begin
	run -0 "$INVCTL" shield --end
	assert_output ""
	for words in true --begin --end; do
		INVCTL_REQUIRE=1 run -113 "$INVCTL" shield $words
		assert_output --partial "INVCTL_REQUIRE=1"
	done
}

@test "in a broken context --begin and --end fail, and COMMAND runs with a warning" {
	local id
	id=$(new_id)
	INVCTL_ID=$id run -113 "$INVCTL" shield --begin
	INVCTL_ID=$id run -113 "$INVCTL" shield --end
	INVCTL_ID=$id run -7 "$INVCTL" shield sh -c 'echo parked; exit 7'
	assert_line parked
	assert_line --partial "without a shield"
	INVCTL_ID=nonsense run -0 "$INVCTL" shield echo parked
	assert_line parked
	assert_line --partial "is no UUID"
	INVCTL_ID=nonsense run -113 "$INVCTL" shield --begin
	"$INVCTL" run --id="$id" true
	INVCTL_ID=$id run -115 "$INVCTL" shield --begin
	assert_output --partial "already finished"
	INVCTL_ID=$id run -0 "$INVCTL" shield echo parked
	assert_line parked
}

@test "inside, check and sleep go on and nested runs start; the next check after it delivers" {
	cat >park.sh <<-'SCRIPT'
		. ./note.sh
		touch ready
		until_file go
		note inside "$INVCTL" check
		from=$(date +%s%N)
		note slept "$INVCTL" sleep 0.3
		[ $(($(date +%s%N) - from)) -ge 300000000 ] && echo full >>out
		note peeked "$INVCTL" sleep --peek 0.1
		note nested "$INVCTL" run -- "$INVCTL" check
	SCRIPT
	action -- 'note shield "$INVCTL" shield sh ./park.sh
		note after "$INVCTL" sleep 1000
		note again "$INVCTL" check'
	wait_for_file ready
	assert_equal "$(field "$ID" '[.shielded, .state] | @json')" '[true,"shielded"]'
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 0
	assert_equal "$(out)" "inside 0,slept 0,full,peeked 0,nested 0,shield 0,after 122,again 0"
}

@test "a request that was pending before stays so, and starting a shield counts as a check" {
	action -- '"$INVCTL" shield true; touch ready
		until_file go
		note shield "$INVCTL" shield "$INVCTL" check
		note after "$INVCTL" check'
	wait_for_file ready
	assert_equal "$(field "$ID" .cooperative)" true
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 0
	assert_equal "$(out)" "shield 0,after 122"
}

@test "a trap parks in peace: a second request waits until it has" {
	printf '#!/bin/sh\n. ./note.sh\ntouch parking; until_file go; note moved "$INVCTL" sleep 0.1; touch parked\n' >park.sh
	chmod +x park.sh
	action -- 'trap "$INVCTL shield ./park.sh" EXIT
		"$INVCTL" check || exit
		touch ready
		"$INVCTL" sleep 1000 || exit'
	wait_for_file ready
	"$INVCTL" cancel "$ID"
	wait_for_file parking
	"$INVCTL" cancel --reason=again "$ID"
	touch go
	ended_with 122
	assert_equal "$(out)" "moved 0"
	[[ -e parked ]]
}

@test "signals to it reach COMMAND itself; when COMMAND is killed, the shield is over" {
	action -- '"$INVCTL" shield sh -c "trap \"echo got >>out\" USR1; touch ready; while :; do command sleep 0.02; done" &
		echo $! >pid
		wait
		wait
		until_file end
		note after "$INVCTL" check'
	wait_for_file ready
	"$INVCTL" cancel "$ID"
	kill -USR1 "$(cat pid)"
	retry grep -q got out
	assert_equal "$(field "$ID" .shielded)" true
	kill -KILL "$(cat pid)"
	retry field_is "$ID" .shielded false
	touch end
	ended_with 0
	assert_equal "$(out)" "got,after 122"
}

@test "--begin and --end: from one to the other, nested, in a function" {
	action -- 'careful() {
			note begin "$INVCTL" shield --begin
			note inner "$INVCTL" shield --begin
			touch ready; until_file go
			note check1 "$INVCTL" check
			note end "$INVCTL" shield --end
			note check2 "$INVCTL" check
			note run "$INVCTL" run -- true
			note end "$INVCTL" shield --end
		}
		careful
		note refused "$INVCTL" run -- true
		note check3 "$INVCTL" check
		note end "$INVCTL" shield --end'
	wait_for_file ready
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 122
	assert_equal "$(out)" \
		"begin 0,inner 0,check1 0,end 0,check2 0,run 0,end 0,refused 122,check3 122,end 1"
}

@test "--begin in \$( ) alone is the script's; a subshell's own ends with it" {
	action -- 'x=$("$INVCTL" shield --begin); touch ready; until_file go
		note end "$INVCTL" shield --end
		("$INVCTL" shield --begin; :)
		"$INVCTL" shield --end 2>message
		echo "$?" >>out'
	wait_for_file ready
	assert_equal "$(field "$ID" .shielded)" true
	touch go
	ended_with 0
	assert_equal "$(out)" "end 0,1"
	assert_regex "$(cat message)" 'process [0-9]+ \(sh\) has no shield to end: the same shell must call --begin'
}

@test "a shield of --begin ends with its shell, by SIGKILL too" {
	printf '. ./note.sh\n"$INVCTL" shield --begin; touch ready; until_file never\n' >shell.sh
	action -- 'sh ./shell.sh & echo $! >pid; wait; until_file end; note after "$INVCTL" check'
	wait_for_file ready
	assert_equal "$(field "$ID" '[.shielded, .shield.pid, .shield.command] | @json')" \
		"[true,$(cat pid),\"sh\"]"
	"$INVCTL" cancel "$ID"
	kill -KILL "$(cat pid)"
	touch end
	ended_with 0
	assert_equal "$(out)" "after 122"
}

@test "the outer one's shield covers nested invocations" {
	action -- '"$INVCTL" shield --begin
		"$INVCTL" run --id-file=inner -- sh -c ". ./note.sh; touch ready; until_file go; note nested \"\$INVCTL\" check"
		note outer "$INVCTL" check
		"$INVCTL" shield --end
		note after "$INVCTL" check'
	wait_for_file ready
	assert_equal "$(field "$(cat inner)" .shielded)" true
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 0
	assert_equal "$(out)" "nested 0,outer 0,after 122"
}

@test "a limit ends it, with no process there to do it: run says so, the log, show and --end" {
	action -- '"$INVCTL" shield --begin --limit=300ms
		touch ready
		note slept "$INVCTL" sleep 1000
		until_file end
		"$INVCTL" shield --end 2>message
		touch ended; until_file over' 2>run-message
	wait_for_file ready
	"$INVCTL" cancel "$ID"
	retry field_is "$ID" .cancel.state delivered
	retry field_is "$ID" '.log | length' 1
	assert_equal "$(field "$ID" '[.shielded, .shield.limit, .shield.ranOut, .log[0].level] | @json')" \
		'[false,0.3,true,"warning"]'
	run -0 "$INVCTL" show "$ID"
	assert_line --regexp '^Shielded +no more: the limit of 300ms has run out, begun [0-9.]+m?s ago by [0-9]+ sh$'
	assert_line --regexp 'warning +the shield of process [0-9]+ \(sh\) has run out after its limit of 300ms'
	assert_regex "$(cat run-message)" 'invctl: the shield of process [0-9]+ \(sh\) has run out'
	touch end
	wait_for_file ended
	assert_regex "$(cat message)" 'the limit of this shield had run out'
	assert_equal "$(field "$ID" .shield)" null
	touch over
	ended_with 0
	assert_equal "$(out)" "slept 122"
}

@test "the supervisor killed: a limit ends the shield all the same, and the log says so" {
	action -- '"$INVCTL" shield --begin --limit=300ms
		touch ready
		note slept "$INVCTL" sleep 1000
		until_file end'
	wait_for_file ready
	kill -KILL "$RUN_PID"
	"$INVCTL" cancel "$ID"
	retry test -e out
	assert_equal "$(out)" "slept 122"
	retry field_is "$ID" '.log | length' 1
	touch end
	retry field_is "$ID" '.timeCompleted != null' true
}

@test "a limit of a COMMAND: it goes on, its checks deliver" {
	action -- 'note shield "$INVCTL" shield --limit=100ms sh -c "touch ready; \"\$INVCTL\" sleep 1000"'
	wait_for_file ready
	"$INVCTL" cancel "$ID"
	ended_with 0
	assert_equal "$(out)" "shield 122"
}

@test "cancel --kill and kill-after override it" {
	action -- '"$INVCTL" shield sh -c "touch ready; until [ -e never ]; do command sleep 0.02; done"'
	wait_for_file ready
	"$INVCTL" cancel "$ID"
	"$INVCTL" cancel --kill "$ID"
	ended_with 137
	rm ready
	action --kill-after=100ms -- '"$INVCTL" shield --begin; touch ready; until_file never'
	wait_for_file ready
	"$INVCTL" cancel "$ID"
	ended_with 137
}

@test "cancel --signal waits for its end too" {
	action -- 'trap "echo signalled >>out" USR1
		"$INVCTL" shield sh -c "touch ready; until [ -e go ]; do command sleep 0.02; done; echo parked >>out"
		until_file end'
	wait_for_file ready
	"$INVCTL" cancel --signal=USR1 "$ID"
	assert_equal "$(field "$ID" '[.shielded, .cancel.state] | @json')" '[true,"requested"]'
	touch go
	retry grep -q signalled out
	touch end
	ended_with 122
	assert_equal "$(out)" "parked,signalled"
}

@test "several at once; what has no room is not run, and the message names the remedy" {
	action -- 'for n in 1 2 3; do
			"$INVCTL" shield sh -c "touch ready.$n; until [ -e go ]; do command sleep 0.02; done" &
		done
		until_file ready.1; until_file ready.2; until_file ready.3
		"$INVCTL" shield touch run 2>message
		echo "fourth $?" >>out
		touch go; wait
		note fifth "$INVCTL" shield true'
	ended_with 0
	assert_equal "$(out)" "fourth 125,fifth 0"
	[[ ! -e run ]]
	assert_regex "$(cat message)" \
		"at most 3 processes can shield an invocation at a time, and ([0-9]+ sh(, )?){3} do, so COMMAND was not started; put one shield around all"
}

@test "scripts that call one another shield themselves as deep as they like" {
	cat >deeper.sh <<-'SCRIPT'
		[ "$1" -eq 0 ] || { "$INVCTL" shield sh ./deeper.sh $(($1 - 1)); exit; }
		. ./note.sh
		touch ready; until_file go
		note deep "$INVCTL" check
	SCRIPT
	action -- 'sh ./deeper.sh 6; note after "$INVCTL" check'
	wait_for_file ready
	"$INVCTL" cancel "$ID"
	touch go
	ended_with 0
	assert_equal "$(out)" "deep 0,after 122"
}

@test "--begin is for a shell of the action: not for run itself, nor for a stranger" {
	run -118 "$INVCTL" run -- "$INVCTL" shield --begin
	assert_output --partial "'invctl run' itself"
	start -- sleep 1000
	INVCTL_ID=$ID run -118 "$INVCTL" shield --begin
	assert_output --partial "is not of invocation 'sleep'"
	assert_equal "$(field "$ID" .shielded)" false
}

@test "list and show say who shields it, for how long, and its limit" {
	action --name=scan -- '"$INVCTL" shield --begin --limit=5m; touch ready; until_file end'
	wait_for_file ready
	run -0 "$INVCTL" list
	assert_output --regexp "scan +shielded"
	run -0 "$INVCTL" show scan
	assert_line --regexp "^Shielded +by $(field "$ID" .pid) sh, for [0-9.]+[mu]?s, at most 5m$"
	assert_equal "$(field "$ID" '[.shield.limit, .shield.ranOut, (.shield.since < .timeStarted)] | @json')" \
		'[300,false,false]'
	touch end
	ended_with 0
	assert_equal "$(field "$ID" .shield)" null
}

#!/usr/bin/env bats
# invctl list: what lives, and with --all what has ended, at a glance or as JSON.

load helpers
load terminal

@test "without a table it is empty, and 0" {
	run -0 "$INVCTL" list --noheadings
	assert_output ""
	run -0 "$INVCTL" list --json
	assert_output "[]"
	run -0 "$INVCTL" list --all --tree --json
	assert_output "[]"
	[[ ! -e /dev/shm/$INVCTL_TABLE ]]
}

@test "a live one: id, name, state, progress, age, last check" {
	start --name=scan -- sleep 1000
	run -0 "$INVCTL" list
	assert_line --index 0 --regexp '^ID +NAME +STATE +PROGRESS +AGE +CHECKED$'
	assert_line --index 1 --regexp "^$ID +scan +running +- +[0-9.]+m?s +never$"
	local alias
	for alias in ls ps; do
		run -0 "$INVCTL" $alias -n
		[[ ${#lines[@]} == 1 ]]
	done
}

@test "the id that a terminal shows is short, and a selector" {
	start --name=scan -- sleep 1000
	local shown
	shown=$(script -qec '"$INVCTL" list -n -o id' /dev/null | tr -d '\r')
	[[ $shown == "${ID:0:8}" ]]
	field_is "$shown" .id "$ID"
}

@test "finished ones only with --all" {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" true
	run -0 "$INVCTL" list -n
	assert_output ""
	for option in -a --all; do
		run -0 "$INVCTL" list -n $option
		assert_output --regexp "^$ID +true +done +[0-9.]+[mu]?s +[0-9]s ago +-$"
	done
	run -0 "$INVCTL" list --all
	assert_line --index 0 --regexp '^ID +NAME +STATE +RAN +ENDED +REASON$'
}

@test "how each ended, and who requested it and why" {
	local user
	user=$(id -un)
	"$INVCTL" run --name=good true
	run -3 "$INVCTL" run --name=bad sh -c 'exit 3'
	run -139 "$INVCTL" run --name=crashed sh -c 'kill -SEGV $$'
	run -127 "$INVCTL" run --name=bake ./nosuchcmd
	run -124 "$INVCTL" run --name=late --timeout=20ms sleep 1000
	start --name=cut -- sleep 1000
	"$INVCTL" cancel --reason="power cut" --wait=20s "$ID"
	start --name=gone -- sleep 1000
	"$INVCTL" cancel --wait=20s "$ID"
	run -0 "$INVCTL" list -a -n -o name,state,reason
	assert_output --regexp "^good +done +-
bad +failed 3 +-
crashed +failed SIGSEGV +-
bake +failed 127 +not found: \./nosuchcmd
late +cancelled +deadline
cut +cancelled +power cut \($user(, [a-z0-9/]+)?, bats-exec-test\)
gone +cancelled +\($user(, [a-z0-9/]+)?, bats-exec-test\)$"
}

@test "progress: the percentage and words; words with a number alone" {
	# A program over a sanitized library needs the sanitizer's runtime itself.
	local sanitize=()
	[[ $BUILD != *-address ]] || sanitize=("-fsanitize=address,undefined")
	"${CC:-cc}" "${sanitize[@]}" -o tell -x c - -I"$ROOT/include" -L"$BUILD" -linvctl \
		-Wl,-rpath,"$BUILD" <<-'EOF'
		#include <invctl.h>
		#include <stdlib.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			inv_progress(atof(argv[1]), argc > 2 ? argv[2] : NULL);
			pause();
		}
	EOF
	start --name=a -- ./tell 40
	start --name=b -- ./tell 12.5 visiting
	start --name=c -- ./tell 24 "row 12/50"
	start --name=d -- sleep 1000
	all_told() { [[ $("$INVCTL" list -n -o percent) == $'40%\n12.5%\n24%\n-' ]]; }
	retry all_told
	run -0 "$INVCTL" list -n -o progress
	assert_output $'40%\n12.5% visiting\nrow 12/50\n-'
	run -0 "$INVCTL" show c
	assert_line --regexp '^Progress +24%, row 12/50$'
}

@test "the last check of a finished one stands still" {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" sh -c '"$INVCTL" check; sleep 0.1'
	run -0 "$INVCTL" list -a -n -o checked
	assert_output "0s before end"
	retry ended_s_ago 1
	run -0 "$INVCTL" list -a -n -o checked
	assert_output "0s before end"
}

ended_s_ago() { # SECONDS or more
	local ago
	ago=$("$INVCTL" list -a -n -o ended)
	((${ago%%s*} >= $1))
}

@test "NAME... and -q: patterns for names, ids only" {
	start --name=scan-1 -- sleep 1000
	local first=$ID
	start --name=scan-2 -- sleep 1000
	local second=$ID
	start --name=other -- sleep 1000
	run -0 "$INVCTL" list -q scan-1
	assert_output "$first"
	run -0 "$INVCTL" list --quiet 'scan-*'
	assert_output "$first
$second"
	run -0 "$INVCTL" list -n -o name other scan-2
	assert_output $'scan-2\nother'
	run -0 "$INVCTL" list -q nothing
	assert_output ""
}

@test "NAME... is an exact name, too: with the characters of a pattern, or longer than the table keeps" {
	local long
	long=$(printf 'n%.0s' {1..80})
	start --name='scan[1] *' -- sleep 1000
	start --name="$long" -- sleep 1000
	run -0 "$INVCTL" list -n -o name 'scan[1] *'
	assert_output 'scan[1] *'
	run -0 "$INVCTL" list -q "$long"
	assert_output "$ID"
}

@test "--status and --name choose" {
	"$INVCTL" run --name=good true
	run -3 "$INVCTL" run --name=bad sh -c 'exit 3'
	start --name=lives -- sleep 1000
	run -0 "$INVCTL" list -n -o name --status=error
	assert_output bad
	run -0 "$INVCTL" list -n -o name --status=completed,running
	assert_output $'good\nlives'
	# A state is as good as a status.
	run -0 "$INVCTL" list -n -o name --status=failed,done
	assert_output $'good\nbad'
	run -0 "$INVCTL" list -n -o name --status=overdue
	assert_output ""
	run -0 "$INVCTL" list -n -o name --all --name='*d'
	assert_output $'good\nbad'
	run -0 "$INVCTL" list -n -o name --name='*d'
	assert_output ""
	run -2 "$INVCTL" list --status=nonsense
	assert_output --partial "completed"
	# The message names all the states, as help does.
	local state
	for state in pending running requested stopping overdue paused stopped shielded finishing "done" cancelled failed lost; do
		assert_output --regexp "[( ]${state}[,)]"
		"$INVCTL" list --status="$state" >/dev/null
	done
}

@test "--output chooses columns, +adds some, and help names them all" {
	start --name=scan -- sleep 1000
	run -0 "$INVCTL" list -n -o uuid,status,command,cwd
	assert_output "$ID  running  sleep 1000  $PWD"
	run -0 "$INVCTL" list -o name -o +pid
	assert_line --index 0 "NAME  PID"
	run -2 "$INVCTL" list -o name,nonsense
	assert_output "invctl: --output 'nonsense' is no column; try 'invctl list --help'"
	run -2 "$INVCTL" list -o "$(printf 'name,%.0s' {1..64})pid"
	assert_output "invctl: --output 'pid' is one column more than 64; try 'invctl list --help'"
	local column
	for column in $("$INVCTL" list --help | sed -n '/^Columns:/,$s/^  \([a-z-]*\) .*/\1/p'); do
		run -0 "$INVCTL" list -n -o "$column"
		[[ ${#lines[@]} == 1 ]]
	done
}

@test "state: requested; after 10 s overdue; stopping when it is delivered" {
	start --name=scan -- sh -c '"$INVCTL" check --peek; until [ -e let ]; do sleep 0.02; done
		"$INVCTL" check; touch checked; until [ -e end ]; do sleep 0.02; done; exit 122'
	retry field_is "$ID" .cooperative true
	[[ $("$INVCTL" list -n -o state) == running ]]
	"$INVCTL" cancel "$ID"
	[[ $("$INVCTL" list -n -o state) == requested ]]
	[[ $(field "$ID" .state) == requested ]]
	retry state_is overdue
	touch let
	retry state_is stopping
	touch end
	ended_with 122
	[[ $("$INVCTL" list -a -n -o state) == cancelled ]]
}

@test "state: stopped, where a signal has stopped the command" {
	start --name=scan -- sleep 1000
	kill -STOP "$(field "$ID" .pid)"
	retry state_is stopped
	[[ $(field "$ID" .state) == stopped ]]
	kill -CONT "$(field "$ID" .pid)"
	retry state_is running
}

state_is() {
	[[ $("$INVCTL" list -n -o state) == "$1" ]]
}

@test "--tree puts each behind the one that started it" {
	start --name=outer -- sh -c '"$INVCTL" run --name=middle "$INVCTL" run --name=inner sleep 1000; :'
	local outer=$ID
	retry runs inner
	start --name=alone -- sleep 1000
	run -0 "$INVCTL" list -n --tree -o name
	assert_output $'outer\n└─ middle\n   └─ inner\nalone'
	[[ $("$INVCTL" list --json | jq -r '.[] | select(.action == "middle") | .parent') == "$outer" ]]
}

runs() {
	[[ $("$INVCTL" list --json | jq -r ".[] | select(.action == \"$1\") | .status") == running ]]
}

@test "--json has every key, with its type" {
	start --name=scan -- sleep 1000
	run -0 --separate-stderr "$INVCTL" list --json
	echo "$output" | jq -e --arg id "$ID" --arg cwd "$PWD" --argjson uid "$(id -u)" '
		length == 1 and (.[0] |
		.id == $id and .action == "scan" and .status == "running"
		and (.timeRequested | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}[+-]\\d\\d:\\d\\d$"))
		and (.timeStarted | type == "string") and .timeCompleted == null
		and .parent == null and (.pid | type == "number") and .uid == $uid
		and .command == ["sleep", "1000"] and .cwd == $cwd
		and .deadline == null and .cancel == null and .cooperative == false
		and .lastCheck == null and .shielded == false and .paused == false and .finishing == false
		and .state == "running" and .output == null
		and has("laterRequest") and has("waitingFor") and has("finish")
		and .progress == null and .exitStatus == null and .signal == null and .cause == null
		and (has("log") | not))'
}

@test "times have the local offset" {
	TZ=Asia/Kolkata "$INVCTL" run true
	[[ $(TZ=UTC-5:30 "$INVCTL" list --all --json | jq -r '.[0].timeRequested') == *+05:30 ]]
	[[ $(TZ=UTC+3 "$INVCTL" list --all --json | jq -r '.[0].timeRequested') == *-03:00 ]]
}

@test "names: control characters are escaped in text, what is not UTF-8 is U+FFFD in JSON" {
	start --name=$'a\e[31m\xff\nb' -- sleep 1000
	run -0 "$INVCTL" list -n -o name
	assert_output 'a\x1b[31m\xff\nb'
	[[ $("$INVCTL" list --json | jq -r '.[0].action') == $'a\e[31m\xef\xbf\xbd\nb' ]]
}

@test "names that turn the direction of text or have no shape reach no terminal" {
	local name=$'x\u202ey\u2066z\ufeff\U000e0041'
	start --name="$name" -- sleep 1000
	run -0 "$INVCTL" list -n -o name
	assert_output 'x\u202ey\u2066z\ufeff\U000e0041'
	run -0 "$INVCTL" show "$ID"
	assert_line --regexp '^Name +x\\u202ey'
	run -0 "$INVCTL" list --json
	refute_output --partial $'\u202e'
	assert_equal "$(jq -r '.[0].action' <<<"$output")" "$name"
}

@test "a pipe gets whole ids and text, no colours and no summary" {
	local name
	name=$(printf 'n%.0s' {1..50})
	start --name="$name" -- sleep 1000
	run -0 "$INVCTL" list
	[[ ${#lines[@]} == 2 ]]
	assert_line --index 1 --regexp "^$ID +$name +running"
	refute_output --partial $'\e'
}

@test "it works while the broker is stopped, and without one" {
	start --name=scan -- sleep 1000
	kill -STOP "$(broker_pid)"
	[[ $("$INVCTL" list -n -o name) == scan ]]
	end_broker
	[[ $("$INVCTL" list -n -o name) == scan ]]
}

# In a terminal of so many columns: each test has a tmux server of its own.

terminal() { # COLUMNS [VARIABLE=VALUE...]
	echo "PS1='ready> '" >rc
	terminal_open "$1" 'bash --noprofile --rcfile rc' "${@:2}"
}

# shown COMMAND: what it prints there, in $SCREEN; with colours in $COLORED.
shown() {
	tmux -S "$SOCKET" send-keys -l "clear; $1; echo end\$((40 + 2))"
	tmux -S "$SOCKET" send-keys Enter
	retry on_screen '^end42'
	SCREEN=$(screen | sed '/^end42/,$d')
	COLORED=$(screen -e | sed '/^end42/,$d')
}

# An experiment: night with scan and a stabilisation in it, and camera in scan.
night() {
	start --name=night -- sh -c '"$INVCTL" progress 40 2>/dev/null; "$INVCTL" run --name=scan -- \
		sh -c '\''trap "" TERM; "$INVCTL" run --name=camera -- sh -c "trap \"\" TERM; touch camera; sleep 1000"; :'\'' &
		until [ -e camera ]; do sleep 0.02; done
		"$INVCTL" run --name=temperature-stabilisation-of-the-laser-room -- sh -c "touch laser; sleep 1000" & wait'
	retry test -e camera
	retry test -e laser
}

@test "a terminal of 80 columns: a tree, short ids, names cut with an ellipsis, a summary" {
	night
	terminal 80
	shown '"$INVCTL" list --tree'
	run -0 cat <<<"$SCREEN"
	assert_line --index 0 --regexp '^ID        NAME +STATE +PROGRESS  AGE +CHECKED$'
	assert_line --index 1 --regexp "^${ID:0:8}  night +running  - +[0-9.]+m?s +never$"
	assert_line --partial '├─ scan  '
	assert_line --partial '│  └─ camera  '
	assert_line --regexp '└─ temperature-stab[a-z-]*…  running'
	assert_line --index 5 "4 live"
	local line
	for line in "${lines[@]}"; do
		((${#line} <= 80)) || return 1
	done
	# With -n neither headings nor a summary; with --full nothing is cut.
	shown '"$INVCTL" list -n; "$INVCTL" list -n --full -o name'
	[[ $(wc -l <<<"$SCREEN") == 8 ]]
	grep -q '^temperature-stabilisation-of-the-laser-room$' <<<"$SCREEN"
}

@test "a terminal of 40 columns: the usual columns that don't fit are left out, not those of --output" {
	night
	terminal 40
	shown '"$INVCTL" list; "$INVCTL" list none'
	run -0 cat <<<"$SCREEN"
	[[ ${#lines[@]} == 8 ]]
	assert_line --index 0 --regexp '^ID        NAME +STATE +PROGRESS$'
	assert_line --index 2 --regexp '^[0-9a-f]{8}  [a-z…-]{1,8} +running +-$'
	shown '"$INVCTL" list -n -o uuid,state scan'
	[[ $(tr -d '\n' <<<"$SCREEN") =~ ^[0-9a-f-]{36}\ \ running$ ]]
}

@test "a terminal of 200 columns: nothing is cut" {
	night
	terminal 200
	shown '"$INVCTL" list --tree'
	grep -Eq '└─ temperature-stabilisation-of-the-laser-room  running' <<<"$SCREEN"
}

@test "a terminal: finished ones with their reasons, and the summary of what is not as usual" {
	start --name=scan -- sh -c 'trap "" TERM; "$INVCTL" check; touch ready; sleep 1000'
	retry test -e ready
	"$INVCTL" run --name=job true
	run -127 "$INVCTL" run --name=bake ./nosuchcmd
	terminal 80
	"$INVCTL" cancel --reason="the beam is lost and this goes on until a line is too long for it" "$ID"
	shown '"$INVCTL" list -a'
	run -0 cat <<<"$SCREEN"
	assert_line --index 0 --regexp '^ID        NAME  STATE +RAN +ENDED   REASON$'
	assert_line --index 1 --regexp '^[0-9a-f]{8}  scan  requested .* -       the beam is lost [a-z ]*…$'
	assert_line --index 2 --regexp '^[0-9a-f]{8}  job   done .* [0-9]+s ago *$'
	assert_line --index 3 --regexp '^[0-9a-f]{8}  bake  failed 127 .* not found: \./nosuchcmd$'
	assert_line --index 4 "1 live: 1 requested"
}

@test "a terminal: wide and combined characters keep the columns" {
	local name
	for name in '温度計 日本' 'hot 😀 x' $'re\u0301el' plain; do
		start --name="$name" -- sleep 1000
	done
	terminal 80
	shown '"$INVCTL" list -n -o name,state'
	# tmux fills the places that a wide character takes: STATE begins at the same one.
	run -0 python3 -c '
import sys, unicodedata
def places(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
lines = [line.split("running")[0] for line in sys.stdin.read().splitlines()]
print(len(lines), len({places(line) for line in lines}))' <<<"$SCREEN"
	assert_output "4 1"
}

@test "colours: red, yellow, dim; none with NO_COLOR and none in a pipe" {
	local red=$'\e[31m' yellow=$'\e[33m' dim=$'\e[2m'
	start --name=scan -- sh -c 'trap "touch told" TERM; touch ready; while :; do sleep 0.02; done'
	retry test -e ready
	run -3 "$INVCTL" run --name=bad sh -c 'exit 3'
	"$INVCTL" cancel "$ID"
	retry test -e told
	terminal 80
	shown '"$INVCTL" list -a'
	[[ $COLORED == *"$yellow"stopping* && $COLORED == *31m*"failed 3"* && $COLORED == *"$dim"* ]]
	shown '"$INVCTL" show '"$ID"
	[[ $COLORED == *"$yellow"stopping* ]]
	shown '"$INVCTL" list -a | cat; NO_COLOR=1 "$INVCTL" list -a; NO_COLOR=1 "$INVCTL" show '"$ID"
	[[ $COLORED != *"$red"* && $COLORED != *"$yellow"* && $COLORED != *"$dim"* ]]
}

@test "a terminal never gets the control characters of a name" {
	start --name=$'\e[31mred\u202e\a' -- sleep 1000
	terminal 80
	shown '"$INVCTL" list -n -o name; "$INVCTL" show '"$ID"' | grep Name'
	assert_equal "$SCREEN" $'\\x1b[31mred\\u202e\\x07\nName      \\x1b[31mred\\u202e\\x07'
}

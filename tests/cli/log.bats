#!/usr/bin/env bats
# invctl log: appends to the invocation's log, and loses no text.

load helpers

# messages: level and text of every record of $ID, a line each.
messages() {
	field "$ID" '.log[] | .level + " " + .message'
}

# logged SCRIPT: run it as an action.
logged() {
	ID=$(new_id)
	"$INVCTL" run --id="$ID" sh -c "$1"
}

@test "words are joined by one space; the level is info unless told" {
	logged '"$INVCTL" log pumping   down; "$INVCTL" log -p debug a; "$INVCTL" log --priority=warning b
		"$INVCTL" log -perror "c  d"; "$INVCTL" log -p info ""'
	[[ $(messages) == $'info pumping down\ndebug a\nwarning b\nerror c  d\ninfo ' ]]
}

@test "a word like -3.2 is text, and so is everything behind the first word" {
	logged '"$INVCTL" log -3.2; "$INVCTL" log -5 bar; "$INVCTL" log -p warning -.5; "$INVCTL" log at -3.2 bar
		"$INVCTL" log text -p error --help; "$INVCTL" log -- -x; "$INVCTL" log -- -1 -2; "$INVCTL" log a -- -1'
	[[ $(messages) == $'info -3.2\ninfo -5 bar\nwarning -.5\ninfo at -3.2 bar\ninfo text -p error --help\ninfo -x\ninfo -1 -2\ninfo a -- -1' ]]
}

@test "- alone reads lines of stdin, the last with or without a newline" {
	logged 'printf "one\n\n two -3\nlast" | "$INVCTL" log -p warning -; "$INVCTL" log - is text </dev/null'
	[[ $(messages) == $'warning one\nwarning \nwarning  two -3\nwarning last\ninfo - is text' ]]
}

@test "no message, and a level that is none, are 2" {
	run -2 "$INVCTL" log
	run -2 "$INVCTL" log -p nonsense text
	assert_output --partial "warning"
	run -2 "$INVCTL" log -p info
}

@test "outside any context it goes to stderr, and is 0" {
	run -0 --separate-stderr "$INVCTL" log at -3.2 bar
	[[ -z $output && $stderr == "at -3.2 bar" ]]
	run -0 --separate-stderr bash -c 'printf "a\nb\n" | "$INVCTL" log -'
	[[ -z $output && $stderr == $'a\nb' ]]
	INVCTL_REQUIRE=1 run -113 "$INVCTL" log text
}

@test "--id appends to another's" {
	start --name=scan -- sleep 1000
	run -0 --separate-stderr "$INVCTL" log --id=scan from outside
	[[ -z $output && -z $stderr ]]
	[[ $(messages) == "info from outside" ]]
	run -0 "$INVCTL" --table="$INVCTL_TABLE" log --id="$ID" again
	[[ $(messages) == $'info from outside\ninfo again' ]]
	run -113 "$INVCTL" log --id=nobody text
}

@test "a broken context is 113 or 115" {
	INVCTL_ID=$(new_id) run -113 "$INVCTL" log text
	logged true
	INVCTL_ID=$ID run -115 "$INVCTL" log text
	[[ -z $(messages) ]]
}

@test "where it can't be stored, the text goes to stderr with a warning, and it is 0" {
	start -- sleep 1000
	# Its directory made a file: nobody, root included, can write there.
	rm -r "$INVCTL_STATE_DIR"
	: >"$INVCTL_STATE_DIR"
	INVCTL_ID=$ID run -0 --separate-stderr "$INVCTL" log precious text
	[[ $stderr == "precious text"* && $stderr == *"invctl: the log could not be written"* ]]
	rm "$INVCTL_STATE_DIR"
}

@test "the last 1000 are kept" {
	logged 'seq 1 2500 | "$INVCTL" log -'
	[[ $(field "$ID" '.log | length') == 1000 ]]
	[[ $(field "$ID" '.log[0].message') == 1501 ]]
	[[ $(field "$ID" '.log[999].message') == 2500 ]]
}

@test "lines of many at once are neither lost nor mixed" {
	logged 'for i in 1 2 3 4 5 6 7 8; do seq -f "$i-%g" 1 50 | "$INVCTL" log - & done; wait'
	[[ $(field "$ID" '.log | length') == 400 ]]
	[[ $(field "$ID" '[.log[].message] | unique | length') == 400 ]]
}

@test "bytes that are not UTF-8 come out as U+FFFD" {
	logged '"$INVCTL" log "$(printf "a\377b")"'
	[[ $(field "$ID" '.log[0].message') == $'a\xef\xbf\xbdb' ]]
}

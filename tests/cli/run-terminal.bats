#!/usr/bin/env bats
# invctl run at a terminal: keys, full-screen programs, pagers, job control. Each
# test types into a bash of its own, in a tmux server of its own.

load helpers

setup() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	setup_table
	SOCKET=$BATS_TEST_TMPDIR/tmux
	PATH=$BUILD:$PATH
	# A broker that keeps nothing of the terminal, and no start-up in the middle of a test.
	"$INVCTL" run true
	echo "PS1='ready> '" >rc
	env -u TMUX tmux -S "$SOCKET" -f /dev/null new-session -d -x 100 -y 30 \
		'bash --noprofile --rcfile rc'
	retry on_screen 'ready>'
}

teardown() {
	[[ -z ${SOCKET:-} ]] || tmux -S "$SOCKET" kill-server 2>/dev/null || true
	teardown_table
}

# What programs write may follow an echoed ^C, so tests look for text that does not
# stand so in the line that was typed: 42 for $((6 * 7)).
screen() {
	tmux -S "$SOCKET" capture-pane -p
}

# on_screen REGEXP
on_screen() {
	screen | grep -Eq -- "$1"
}

not_on_screen() {
	! on_screen "$1"
}

# keys KEY...: as tmux names them
keys() {
	tmux -S "$SOCKET" send-keys "$@"
}

# type_line TEXT
type_line() {
	tmux -S "$SOCKET" send-keys -l "$1"
	tmux -S "$SOCKET" send-keys Enter
}

# The id of the live invocation, once there is one that runs.
running_id() {
	"$INVCTL" list --json | jq -er '[.[] | select(.status == "running")][0].id'
}

learn_id() {
	retry running_id
	ID=$(running_id)
}

# The shell's prompt is back, and takes a line.
shell_answers() {
	type_line 'echo "alive"$((40 + 2))'
	retry on_screen '^alive42'
}

seq_file() {
	seq 1 300 >lines
}

@test "less has the terminal: keys, its end, and the shell goes on" {
	seq_file
	type_line 'invctl run less lines; echo "status=$?"'
	retry on_screen '^28$'
	keys Space
	retry on_screen '^50$'
	keys q
	retry on_screen 'status=0'
	shell_answers
}

@test "what reads the terminal gets it, and its output follows" {
	type_line 'invctl run sh -c "read answer; echo got=\$answer; read answer; echo then=\$answer"'
	learn_id
	type_line first
	retry on_screen '^got=first'
	type_line second
	retry on_screen '^then=second'
	shell_answers
}

@test "run in a pipe into a pager leaves the pager the terminal" {
	type_line 'invctl run seq 1 300 | less'
	retry on_screen '^28$'
	keys Space
	retry on_screen '^50$'
	keys q
	retry on_screen 'ready>'
	shell_answers
}

@test "Ctrl-C is a request, cause interrupt; run dies by SIGINT" {
	type_line 'invctl run sleep 1000; echo "status=$?"'
	learn_id
	keys C-c
	retry field_is "$ID" .status cancelled
	assert_equal "$(field "$ID" .cause)" interrupt
	assert_equal "$(field "$ID" .signal)" 2
	shell_answers
	not_on_screen 'status=[0-9]'
}

@test "a shell loop stops after one Ctrl-C" {
	type_line 'for turn in 1 2 3; do echo "turn=$turn"; invctl run sleep 1000; done; echo over=$((6 * 7))'
	learn_id
	keys C-c
	retry field_is "$ID" .status cancelled
	shell_answers
	not_on_screen 'turn=2'
	not_on_screen 'over=42'
}

@test "a script around run stops with it" {
	printf '%s\n' 'invctl run sleep 1000' 'echo "after=$?"' >script
	type_line 'bash script'
	learn_id
	keys C-c
	retry field_is "$ID" .status cancelled
	shell_answers
	not_on_screen 'after='
}

@test "Ctrl-C reaches a cooperative action by its check only" {
	type_line "invctl run sh -c 'trap \"echo trapped\$((6 * 7))\" INT; while invctl check; do sleep 0.02; done; echo unwound\$((6 * 7)); exit 0'; echo \"status=\$?\""
	learn_id
	retry field_is "$ID" .cooperative true
	keys C-c
	retry on_screen unwound42
	retry on_screen 'status=0'
	not_on_screen trapped42
}

@test "a second Ctrl-C, later, also signals a cooperative action, and run says what is stronger" {
	type_line "invctl run sh -c 'trap \"echo trapped\$((6 * 7)); exit 3\" INT; invctl check --peek; while :; do sleep 0.02; done'"
	learn_id
	retry field_is "$ID" .cooperative true
	# A key that is held down is one request and no escalation.
	keys C-c C-c C-c C-c C-c
	retry on_screen 'cancel --kill'
	not_on_screen trapped42
	assert_equal "$(field "$ID" .status)" running
	keys C-c
	retry on_screen trapped42
	retry field_is "$ID" .status cancelled
	assert_equal "$(field "$ID" .exitStatus)" 3
	shell_answers
}

@test "Ctrl-C says once, after a second, what it waits for and that another one signals" {
	type_line "invctl run sh -c 'invctl check --peek; while [ ! -e go ]; do sleep 0.02; done; invctl check'"
	learn_id
	retry field_is "$ID" .cooperative true
	keys C-c
	retry on_screen "waiting for the next check of 'sh'; Ctrl-C again signals it; 'invctl"
	touch go
	retry field_is "$ID" .status cancelled
	shell_answers
}

@test "Ctrl-C at one that was signalled names no second key, which would do nothing" {
	type_line "invctl run sh -c 'trap \"\" INT; echo up; while [ ! -e go ]; do sleep 0.02; done'"
	retry on_screen '^up'
	learn_id
	keys C-c
	retry on_screen "waiting for the end of 'sh'; 'invctl cancel --kill ${ID:0:8}"
	not_on_screen 'Ctrl-C again'
	touch go
	retry field_is "$ID" .status cancelled
}

@test "Ctrl-C in a pipeline that it ends: what it waits for is written to the terminal" {
	type_line "invctl run sh -c 'trap \"\" INT; echo up; while [ ! -e go ]; do sleep 0.02; done' 2>&1 | tee log"
	retry on_screen '^up'
	learn_id
	keys C-c
	retry on_screen "waiting for the end of 'sh'; 'invctl cancel --kill"
	touch go
	retry field_is "$ID" .status cancelled
	assert_equal "$(cat log)" up
	shell_answers
}

@test "Ctrl-C with --no-kill: no kill is named, which would be refused" {
	type_line "invctl run --no-kill sh -c 'trap \"\" INT; echo up; while [ ! -e go ]; do sleep 0.02; done'"
	retry on_screen '^up'
	learn_id
	keys C-c
	retry on_screen "waiting for the end of 'sh'; 'invctl cancel --signal ${ID:0:8}"
	not_on_screen 'cancel --kill'
	touch go
	retry field_is "$ID" .status cancelled
}

@test "nothing that is typed kills" {
	type_line "invctl run sh -c 'trap \"\" INT QUIT TERM; echo up; while [ ! -e go ]; do sleep 0.02; done'"
	retry on_screen '^up'
	learn_id
	keys C-c
	retry on_screen 'cancel --kill'
	keys C-c
	keys 'C-\'
	keys C-c
	assert_equal "$(field "$ID" .status)" running
	touch go
	retry field_is "$ID" .status cancelled
}

@test "after the terminal was handed over, Ctrl-C goes to the command, whose death is an interrupt" {
	type_line 'for turn in 1 2; do invctl run cat; echo "turn=$turn"; done'
	learn_id
	type_line hello
	retry on_screen '^hello$'
	retry cat_has_echoed
	keys C-c
	retry field_is "$ID" .status cancelled
	assert_equal "$(field "$ID" .cause)" interrupt
	shell_answers
	not_on_screen 'turn=[0-9]'
}

# The line stands there as typed, and as cat wrote it.
cat_has_echoed() {
	[[ $(screen | grep -c '^hello$') == 2 ]]
}

@test "after the hand-over its death by Ctrl-\\ is an interrupt as well" {
	type_line 'ulimit -c 0; invctl run cat; echo "status=$?"'
	learn_id
	retry handed_over
	keys 'C-\'
	retry field_is "$ID" .status cancelled
	assert_equal "$(field "$ID" .cause)" interrupt
	assert_equal "$(field "$ID" .signal)" 3
	shell_answers
}

@test "a command that minds Ctrl-C itself goes on after the hand-over" {
	type_line "invctl run bash -c 'trap \"echo minded\$((6 * 7))\" INT; while read -r x; do :; done'"
	learn_id
	retry handed_over
	keys C-c
	retry on_screen minded42
	assert_equal "$(field "$ID" .status)" running
	assert_equal "$(field "$ID" .cancel)" null
	"$INVCTL" cancel --kill "$ID"
	retry field_is "$ID" .status cancelled
	shell_answers
}

# The command's group is the terminal's foreground.
handed_over() {
	local pid
	pid=$(field "$ID" .pid)
	[[ $(ps -o tpgid= -p "$pid" | xargs) == "$pid" ]]
}

command_state_is() {
	[[ $(ps -o stat= -p "$(field "$ID" .pid)") == "$1"* ]]
}

@test "Ctrl-Z stops run and command before the hand-over; fg goes on" {
	type_line 'invctl run sleep 1000; echo "status=$?"'
	learn_id
	keys C-z
	retry on_screen 'Stopped'
	retry command_state_is T
	shell_answers
	type_line 'fg'
	retry command_state_is S
	keys C-c
	retry field_is "$ID" .status cancelled
	assert_equal "$(field "$ID" .cause)" interrupt
}

@test "Ctrl-Z stops a full-screen program with run; fg gives it the terminal again" {
	seq_file
	type_line 'invctl run less lines'
	retry on_screen '^28$'
	learn_id
	keys C-z
	retry on_screen 'Stopped'
	retry command_state_is T
	shell_answers
	type_line 'fg'
	retry on_screen '^28$'
	keys Space
	retry on_screen '^50$'
	keys q
	retry field_is "$ID" .status completed
	shell_answers
}

@test "a job in the background that reads stops as jobs do; fg gives it the terminal" {
	type_line 'invctl run sh -c "read answer; echo got=\$answer" &'
	learn_id
	retry command_state_is T
	type_line ''
	retry on_screen 'Stopped'
	type_line 'fg'
	retry handed_over
	type_line here
	retry on_screen '^got=here'
	shell_answers
}

@test "a nested run hands the terminal on, and Ctrl-Z and fg pass through" {
	seq_file
	type_line 'invctl run -n outer sh -c "invctl run -n inner less lines; echo inner=\$?"'
	retry on_screen '^28$'
	keys C-z
	retry on_screen 'Stopped'
	shell_answers
	type_line 'fg'
	retry on_screen '^28$'
	keys q
	retry on_screen '^inner=0'
	shell_answers
}

@test "a killed full-screen program leaves the terminal usable" {
	type_line "invctl run sh -c 'stty raw -echo; echo raw; exec sleep 1000'; echo \"status=\$?\""
	retry on_screen 'raw'
	learn_id
	"$INVCTL" cancel --kill "$ID"
	retry on_screen 'status=137'
	shell_answers
	type_line 'stty -a'
	retry on_screen ' icanon'
}

@test "a terminal that is closed is a request; clean-up completes and is recorded" {
	type_line "invctl run sh -c 'trap \"sleep 0.2; touch cleaned; exit 0\" HUP TERM; echo up; while :; do sleep 0.02; done'"
	retry on_screen '^up'
	learn_id
	tmux -S "$SOCKET" kill-server
	retry field_is "$ID" .status cancelled
	[[ -e cleaned ]]
}

# terminal_closed_during_clean_up COMMAND…, which asks: an action that parks when it is asked to, in a terminal that
# is closed while it does; then it is told to go on.
terminal_closed_during_clean_up() {
	type_line "invctl run sh -c 'park() { trap \"\" HUP; echo parking\$((6 * 7)); until [ -e go ]; do sleep 0.02; done; touch cleaned; exit 0; }; trap park INT TERM; echo up; while :; do sleep 0.02; done'"
	retry on_screen '^up'
	learn_id
	"$@"
	retry on_screen parking42
	local shell
	shell=$(tmux -S "$SOCKET" display-message -p '#{pane_pid}')
	tmux -S "$SOCKET" kill-server
	retry process_is_gone "$shell"
	assert_equal "$(field "$ID" .status)" running
	touch go
	retry field_is "$ID" .status cancelled
	[[ -e cleaned ]]
	assert_equal "$(field "$ID" .cancel.state)" signalled
	assert_equal "$(field "$ID" .exitStatus)" 0
}

@test "a terminal that is closed during the clean-up after a Ctrl-C: it completes, and is recorded" {
	terminal_closed_during_clean_up keys C-c
	assert_equal "$(field "$ID" .cause)" interrupt
}

@test "a terminal that is closed during the clean-up after a cancel: it completes, and is recorded" {
	ask() { "$INVCTL" cancel "$ID"; }
	terminal_closed_during_clean_up ask
	assert_equal "$(field "$ID" .cause)" requested
}

# An action that cleans up when it is told to, for as long as there is no `go`, and writes to
# the terminal meanwhile.
CLEANS_UP='trap "touch cleaning; while [ ! -e go ]; do sleep 0.02; done; echo bye; touch cleaned; exit 0" HUP TERM INT; echo up; while :; do sleep 0.02; done'

there_is() {
	[[ -e $1 ]]
}

closed_during_clean_up() { # command-line
	type_line "$1"
	retry on_screen '^up'
	learn_id
	keys C-c
	retry there_is cleaning
	local shell
	shell=$(tmux -S "$SOCKET" display-message -p '#{pane_pid}')
	tmux -S "$SOCKET" kill-server
	retry process_is_gone "$shell"
	assert_equal "$(field "$ID" .status)" running
	touch go
}

@test "the terminal is closed while a nested action cleans up: both are recorded" {
	echo "$CLEANS_UP" >inner
	closed_during_clean_up 'invctl run -n outer sh -c "invctl run -n inner sh ./inner; echo \$? >inner-status; exit 4"'
	retry nothing_runs
	[[ -e cleaned ]]
	assert_equal "$(cat inner-status)" 122
	assert_equal "$("$INVCTL" list --all --json | jq -r '[.[] | select(.status == "cancelled")] | length')" 2
}

@test "five Ctrl-C within a moment are one request to a nested run as well" {
	type_line "invctl run -n outer sh -c \"invctl check --peek; invctl run -n inner sh -c 'trap \\\"echo . >>inner-signals\\\" INT TERM; echo up; while [ ! -e go ]; do sleep 0.02; done'; exit 3\""
	retry on_screen '^up'
	keys C-c C-c C-c C-c C-c
	retry there_is inner-signals
	touch go
	retry nothing_runs
	assert_equal "$(wc -l <inner-signals)" 1
	shell_answers
}

nothing_runs() {
	[[ $("$INVCTL" list --json | jq length) == 0 ]]
}

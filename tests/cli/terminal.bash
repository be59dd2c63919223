# A terminal for a test: a tmux server of its own, which ends with the test.
# shellcheck shell=bash

# terminal_open COLUMNS COMMAND [VARIABLE=VALUE...]: a shell in it, whose prompt is "ready>".
terminal_open() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	SOCKET=$BATS_TEST_TMPDIR/tmux
	env -u TMUX -u NO_COLOR LANG=C.UTF-8 "${@:3}" tmux -S "$SOCKET" -f /dev/null new-session -d \
		-x "$1" -y 30 "$2"
	retry on_screen '^ready>'
}

teardown() {
	[[ -z ${SOCKET:-} ]] || tmux -S "$SOCKET" kill-server 2>/dev/null || true
	teardown_table
}

screen() { # [OPTION of capture-pane...]
	tmux -S "$SOCKET" capture-pane -p "$@"
}

on_screen() {
	tmux -S "$SOCKET" capture-pane -p | grep -Eq -- "$1"
}

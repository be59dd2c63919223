# What the stories share that `make demo` and the tests run: to be sourced by bash, in the project's
# folder, with the story's name as argument.
#
# A story has a table, a state directory and a folder of its own, and leaves nothing behind. It says
# what it does, does it, and checks that it went so.
# shellcheck shell=bash
story=$1
build=$(cd "${BUILD:-build}" && pwd) || exit 1
directory=$(mktemp -d) || exit 1
PATH=$build:$build/examples:$PWD/examples:$PATH
unset INVCTL_ID INVCTL_AUTOSTART INVCTL_REQUIRE
export PATH INVCTL_TABLE=invctl-$story-$$ INVCTL_STATE_DIR=$directory/state NO_COLOR=1
cd "$directory" || exit 1
exec 3>&1
failed=0

tell() {
	echo
	printf '# %s\n' "$@"
}

# Shown as it would be typed, then done. Descriptor 3 is the reader's, also where the
# command's output is kept.
show() {
	local word
	printf '$' >&3
	for word; do
		case $word in
		[!-]*' '*) printf " '%s'" "$word" >&3 ;;
		*' '*) printf " %s'%s'" "${word%%=*}=" "${word#*=}" >&3 ;;
		*) printf ' %s' "$word" >&3 ;;
		esac
	done
	echo >&3
	"$@"
}

expect() { # what command…
	local what=$1
	shift
	"$@" && return
	echo "$story: not as expected: $what" >&2
	failed=1
}

# Until the command succeeds, for at most 10 s.
await() {
	local until=$((SECONDS + 10))
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.05
	done
}

lines_in() { # file at-least
	[ -f "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

live() { # count
	[ "$(invctl list --noheadings | wc -l)" -eq "$1" ]
}

# An action that has not checked yet would get a signal instead.
checked() { # name…
	local name
	for name; do
		invctl show --json "$name" 2>/dev/null | grep -q '"cooperative": *true' || return 1
	done
}

moving() { # name: it shows how far it is
	invctl list --noheadings --output=name,progress | grep -q "^$1 .*[0-9]"
}

exited_with() { # status pid
	local status=0
	wait "$2" || status=$?
	[ "$status" -eq "$1" ]
}

broker_pid() {
	invctl status --json 2>/dev/null | sed -n '/"broker"/,/}/s/.*"pid": *\([0-9]*\).*/\1/p'
}

process_is_gone() { # pid
	! kill -0 "$1" 2>/dev/null
}

end_broker() {
	local broker
	broker=$(broker_pid)
	[ -n "$broker" ] && kill "$broker" 2>/dev/null && await process_is_gone "$broker"
}

clean_up() {
	if [ -n "$(broker_pid)" ]; then
		invctl cancel --all --kill --wait=5s >/dev/null 2>&1
		end_broker
	fi
	rm -f "/dev/shm/$INVCTL_TABLE"
	rm -rf "$directory"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The end of a story: nothing is left, and it went as it said.
end_story() {
	expect 'the broker ends' end_broker
	clean_up
	trap - EXIT
	expect 'nothing is left in /dev/shm' [ ! -e "/dev/shm/$INVCTL_TABLE" ]
	if [ "$failed" -ne 0 ]; then
		printf '\n%s: something did not go as it should\n' "$story" >&2
		exit 1
	fi
	printf '\nAll went as expected.\n'
}

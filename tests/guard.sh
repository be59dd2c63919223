#!/usr/bin/env bash
# Guards the hot paths against getting dearer: counts instructions of operations of the
# library and system calls of commands, and holds them to tests/guard.budgets. Ends with
# the line "N passed, N failed". With --print it says what it counted, as budgets are written.
#
# BUILD names the build directory (build).
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
INVCTL=$BUILD/invctl
COUNT=1000
passed=0 failed=0 print=
[ "${1:-}" != --print ] || print=1

work=$(mktemp -d)
export INVCTL_TABLE=guard-test-$$ INVCTL_STATE_DIR=$work/state INVCTL_AUTOSTART=0
unset INVCTL_ID INVCTL_REQUIRE
broker=''

finish() {
	exec 7>&- # the target ends with its standard input
	[ -z "$broker" ] || { kill "$broker" && wait "$broker"; } 2>/dev/null
	rm -rf "$work" "/dev/shm/$INVCTL_TABLE" "/dev/shm/$INVCTL_TABLE-operations"
}
trap finish EXIT

# Instructions of so many of an operation, start-up included.
instructions_of() { # operation count
	local out=$work/callgrind.out
	valgrind --tool=callgrind --callgrind-out-file="$out" "$BUILD/bench/operations" \
		"$INVCTL_TABLE-operations" "$1" "$2" >"$work/valgrind.log" 2>&1 || return 1
	sed -n 's/^\(summary\|totals\): //p' "$out" | head -n 1
}

count_instructions() { # operation
	local few many
	if ! few=$(instructions_of "$1" "$COUNT") || ! many=$(instructions_of "$1" "$((3 * COUNT))"); then
		cat "$work/valgrind.log" >&2
		return 1
	fi
	echo $(((many - few) / (2 * COUNT)))
}

# The arguments of a command of the budgets.
arguments_of() { # command
	case $1 in
	check) echo check ;;
	sleep) echo sleep 0 ;;
	cancel) echo cancel "$INVCTL_ID" ;;
	log) echo log x ;;
	run) echo run --no-parent -- /bin/true ;;
	*) return 1 ;;
	esac
}

count_calls() { # command
	local arguments
	read -ra arguments <<<"$(arguments_of "$1")"
	[ "${#arguments[@]}" -gt 0 ] || return 1
	# Not -f: the supervisor alone, not what it runs. The first time makes directories.
	"$INVCTL" "${arguments[@]}" >"$work/command.log" 2>&1 || { cat "$work/command.log" >&2; return 1; }
	strace -o "$work/strace" "$INVCTL" "${arguments[@]}" >/dev/null 2>&1 || return 1
	grep -cE '^[a-z_0-9]+\(' "$work/strace"
}

judge() { # kind name budget
	local counted
	counted=$("count_$1" "$2")
	if [ -z "$counted" ]; then
		echo "not counted: $1 of $2"
		failed=$((failed + 1))
	elif [ -n "$print" ]; then
		printf '%-12s %-16s %6d\n' "$1" "$2" "$counted"
	elif [ "$counted" -le "$3" ]; then
		printf 'ok     %-12s %-16s %6d of %6d\n' "$1" "$2" "$counted" "$3"
		passed=$((passed + 1))
	else
		printf 'DEARER %-12s %-16s %6d of %6d\n' "$1" "$2" "$counted" "$3"
		failed=$((failed + 1))
	fi
}

# A live invocation that takes every request, on a table that a broker serves.
start_target() {
	mkfifo "$work/target-in" "$work/target-out" "$work/ready"
	"$BUILD/invbroker" --foreground --capacity=8192 --ready-fd=9 9>"$work/ready" \
		2>"$work/broker.log" </dev/null &
	broker=$!
	local answer
	read -r -t 20 answer <"$work/ready"
	[ "$answer" = ok ] || { cat "$work/broker.log" >&2; return 1; }
	INVCTL_ID=$(cat /proc/sys/kernel/random/uuid)
	"$BUILD/bench/target" "$INVCTL_ID" <"$work/target-in" >"$work/target-out" &
	exec 7>"$work/target-in"
	read -r -t 20 answer <"$work/target-out"
	[ "$answer" = ready ] || return 1
	export INVCTL_ID
}

if start_target; then
	while read -r kind name budget; do
		case $kind in
		instructions | calls) judge "$kind" "$name" "$budget" ;;
		'' | '#'*) ;;
		*)
			echo "tests/guard.budgets: what is '$kind'?"
			failed=$((failed + 1))
			;;
		esac
	done <tests/guard.budgets
else
	echo "the table of the guard does not come up"
	failed=$((failed + 1))
fi
[ -n "$print" ] || echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

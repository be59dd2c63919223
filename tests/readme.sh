#!/usr/bin/env bash
# README.md is true: its files are there, `make` knows its targets, `invctl` its
# commands, its shell action runs and can be stopped, its C action compiles, and its
# exit statuses are those that `invctl --help` tells.
# Ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(cd "${BUILD:-build}" && pwd) || exit 1
CC=${CC:-cc}
directory=$(mktemp -d) || exit 1
unset INVCTL_ID INVCTL_AUTOSTART INVCTL_REQUIRE
export PATH=$build:$PATH INVCTL_TABLE=test-readme-$$ INVCTL_STATE_DIR=$directory/state
passed=0 failed=0

clean_up() {
	local pid
	invctl cancel --all --kill --wait=5s >/dev/null 2>&1
	pid=$(invctl status --json 2>/dev/null | jq -r '.broker.pid // empty')
	[ -z "$pid" ] || kill "$pid"
	[ -z "$pid" ] || await process_is_gone "$pid"
	rm -f "/dev/shm/$INVCTL_TABLE"
	rm -rf "$directory"
}
trap clean_up EXIT

check() { # what command…
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "README.md: not so: $what"
	fi
}

await() { # command…: until it succeeds, for at most 20 s
	local until=$((SECONDS + 20))
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.02
	done
}

process_is_gone() { # pid
	! kill -0 "$1" 2>/dev/null
}

has_line() { # text file
	[ -f "$2" ] && grep -qxF -- "$1" "$2"
}

looked() { # name
	invctl show --json "$1" 2>/dev/null | jq -e .cooperative >/dev/null
}

# The lines of the first block in a language.
block() { # language
	awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } /^```/ { if (inside) exit } inside' README.md
}

shell_action_stops() {
	local pid status=0
	block sh >"$directory/scan.sh"
	chmod +x "$directory/scan.sh"
	invctl run --name=scan -- "$directory/scan.sh" >"$directory/output" &
	pid=$!
	await has_line 'point 1' "$directory/output" && await looked scan &&
		invctl cancel --reason='coolant is low' --wait=20s scan
	wait "$pid" || status=$?
	[ "$status" -eq 122 ] && [ "$(tail -n 1 "$directory/output")" = parking ]
}

c_action_compiles() {
	{
		printf '#include <errno.h>\n#include <invctl.h>\n#include <stdio.h>\n'
		printf 'static void park(void) { puts("parking"); }\nint main(void)\n{\n'
		printf 'inv_invocation *invocation;\nint error = 0;\n'
		block c
		printf 'return error == -ECANCELED ? 122 : error != 0;\n}\n'
	} >"$directory/scan.c"
	"$CC" -std=c11 -Wall -Wextra -Werror -Iinclude -o "$directory/scan" "$directory/scan.c" \
		-L"$build" -linvctl
}

told_by_help() { # exit status
	invctl --help | tr -s ' \n' ' ' | grep -qE "Exit status:.*[ ,]$1 "
}

while read -r file; do
	check "the file $file is there" [ -e "$file" ]
done < <(grep -oE '\]\([^)]+\)' README.md | tr -d ']()' && grep -oE 'man/[a-z]+\.[1-8]|scripts/[a-z]+\.sh' README.md)

while read -r target; do
	check "make knows the target $target" grep -qE "^$target:" Makefile
done < <(grep -E '^    make' README.md | sed 's/#.*//' | grep -oE '\b(deps|demo|check|install)\b' | sort -u)

while read -r name; do
	check "invctl has the command $name" invctl "$name" --help >/dev/null
done < <(grep -oE 'invctl (run|list|cancel|log|sleep)\b' README.md | cut -d ' ' -f 2 | sort -u)

while read -r status; do
	check "$status is an exit status that invctl --help tells" told_by_help "$status"
done < <(grep -E '^\| [0-9]' README.md | grep -oE '\| [0-9, ]+ \|' | grep -oE '[0-9]+' | sort -u)

check 'the shell action can be stopped' shell_action_stops
check 'the C action compiles' c_action_compiles

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

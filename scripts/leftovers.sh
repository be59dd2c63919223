#!/usr/bin/env bash
# Do the tests leave anything behind? leftovers.sh begin SCRATCH, before them; leftovers.sh end
# SCRATCH, after them.
#
# SCRATCH is an empty directory that is TMPDIR for all of them: what they start has it in its
# environment, and what they store is in it. A process of this build, one that has SCRATCH in its
# environment, a file in SCRATCH and an object in /dev/shm that was not there before are told,
# and make it exit with 1. What is about to go has PATIENCE seconds (20) for it.
set -u
cd "$(dirname "$0")/.." || exit 2
scratch=${2:?usage: leftovers.sh begin|end SCRATCH}
before=$scratch.before

# One whose name bears the pid of a process that lives is of somebody else's tests: ours are over.
objects_left() {
	local name part
	comm -13 "$before" <(objects) | while read -r name; do
		for part in ${name//[!0-9]/ }; do
			[ "$part" -gt 1 ] && [ -e "/proc/$part" ] && continue 2
		done
		echo "left: /dev/shm/$name"
	done
}

objects() { find /dev/shm -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }

parent_of() { sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null; }

# This script, and those it was started by.
declare -A caller
note_callers() {
	local pid=$$
	while [ "${pid:-0}" -gt 0 ]; do
		caller[$pid]=1
		pid=$(parent_of "$pid")
	done
}

# What this script has started, subshells among it.
is_of_this() {
	local pid=$1
	while [ "${pid:-0}" -gt 1 ]; do
		[ "$pid" != $$ ] || return 0
		pid=$(parent_of "$pid")
	done
	return 1
}

# A zombie is its parent's to reap, whoever that is here.
is_over() { ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null; }

# What shows and keeps this script's output has the same environment.
is_listener() {
	local parent
	parent=$(parent_of "$1")
	[ "$(cat "/proc/$1/comm" 2>/dev/null)" = tee ] && [ -n "${caller[${parent:-0}]:-}" ]
}

pids_of_build() {
	find /proc -mindepth 2 -maxdepth 2 -name exe -lname "$PWD/build*" -printf '%h\n' 2>/dev/null
}

pids_of_tests() {
	grep -lzxF -- "TMPDIR=$scratch" /proc/[0-9]*/environ 2>/dev/null | sed 's|/environ$||'
}

processes() {
	local folder pid
	while read -r folder; do
		pid=${folder#/proc/}
		if [ -n "${caller[$pid]:-}" ] || is_over "$pid" || is_of_this "$pid" ||
			is_listener "$pid"; then
			continue
		fi
		echo "left: process $pid: $(tr '\0' ' ' 2>/dev/null <"$folder/cmdline")"
	done < <({ pids_of_build; pids_of_tests; } | sort -u)
}

left() {
	processes
	objects_left
	find "$scratch" -mindepth 1 -maxdepth 2 -printf 'left: %p\n'
}

case $1 in
begin)
	[ -d "$scratch" ] || exit 2
	objects >"$before"
	;;
end)
	[ -d "$scratch" ] && [ -e "$before" ] || exit 2
	note_callers
	until=$((SECONDS + ${PATIENCE:-20}))
	found=$(left)
	while [ -n "$found" ] && ((SECONDS < until)); do
		sleep 0.2
		found=$(left)
	done
	rm -f "$before"
	[ -z "$found" ] || printf '%s\n' "$found"
	[ -z "$found" ]
	;;
*)
	echo "usage: leftovers.sh begin|end SCRATCH" >&2
	exit 2
	;;
esac

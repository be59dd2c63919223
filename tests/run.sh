#!/usr/bin/env bash
# Runs test suites and adds up what they say: tests/run.sh [SUITE…]
# Without arguments: every suite of `make check`, the fast ones first.
# BUILD is the folder of the build under test (build). Each suite's output is kept
# in $BUILD/test-logs; what failed is shown.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
export BUILD
logs=$BUILD/test-logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0

# TAP on stdin: counts into the totals, shows failures with what follows them.
count_tap() { # log
	local ok not_ok skip
	skip=$(grep -cE '^ok .*# skip' "$1")
	ok=$(($(grep -cE '^ok ' "$1") - skip))
	not_ok=$(grep -cE '^not ok ' "$1")
	passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
	[ "$not_ok" -eq 0 ] || grep -A 12 -E '^not ok ' "$1"
	[ "$((ok + not_ok + skip))" -gt 0 ]
}

# A script that ends with the line "N passed, N failed".
count_line() { # log
	local line
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1)
	[ -n "$line" ] || return 1
	passed=$((passed + ${line%% *}))
	line=${line#*, }
	failed=$((failed + ${line%% *}))
	[ "${line%% *}" -eq 0 ] || cat "$1"
}

# Run a command; a status other than 0 without a counted failure is a failure too.
run() { # how-to-count name command…
	local how=$1 name=$2 before=$failed started=$SECONDS status
	local log=$logs/${name//\//-}.log
	shift 2
	"$@" >"$log" 2>&1 </dev/null
	status=$?
	if ! "count_$how" "$log" || { [ "$status" -ne 0 ] && [ "$failed" -eq "$before" ]; }; then
		failed=$((failed + 1))
		tail -n 40 "$log"
	fi
	printf '%-34s %s  (%d s)\n' "$name" \
		"$([ "$failed" -eq "$before" ] && echo ok || echo FAILED)" "$((SECONDS - started))"
}

suite_unit() {
	local program
	for program in "$BUILD"/tests/unit/test_*; do
		case $program in *.o | *.d) continue ;; esac
		[ -x "$program" ] || continue
		CMOCKA_MESSAGE_OUTPUT=TAP run tap "unit/${program##*/}" timeout 300 "$program"
	done
}

suite_cli() {
	local file
	for file in tests/cli/*.bats; do
		run tap "cli/$(basename "$file" .bats)" timeout 600 bats --tap "$file"
	done
}

suite_python() { run line python timeout 120 tests/python/run.sh; }
suite_abi() { run line abi timeout 60 tests/abi.sh; }
suite_docs() { run line docs timeout 120 tests/docs.sh; }
suite_examples() { run tap examples timeout 180 bats --tap tests/examples.bats; }
suite_model() { run line model timeout 600 tests/model/run.sh; }
suite_model_quick() { run line model-quick timeout 300 tests/model/run.sh --quick; }
suite_crash() { run line crash timeout 600 tests/crash/run.sh -k 200; }
suite_crash_all() { run line crash-all timeout 1800 tests/crash/run.sh; }
suite_guard() { run line guard timeout 300 tests/guard.sh; }
suite_mutants() { run line mutants timeout 900 tests/crash/mutants.sh; }

[ $# -gt 0 ] || set -- unit abi docs python cli examples model_quick crash
for suite in "$@"; do
	"suite_$suite"
done
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Runs test suites and adds up what they say: tests/run.sh [SUITE…]
# Without arguments: every suite of `make check`, the fast ones first.
# BUILD is the folder of the build under test (build). Each suite's output is kept
# in $BUILD/test-logs; what failed is shown.
set -u
cd "$(dirname "$0")/.." || exit 1
# Whoever starts this may ignore signals, as a shell does for its background jobs; what is
# ignored stays so in every process below.
[ -n "${SIGNALS_ARE_DEFAULT:-}" ] ||
	SIGNALS_ARE_DEFAULT=1 exec env --default-signal tests/run.sh "$@"
BUILD=${BUILD:-build}
export BUILD
logs=$BUILD/test-logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0

# bats and cmocka each say it in their own way; the unit tests say why in a line of its own.
skips='^ok .*# skip|^not ok [0-9]+ # SKIP'
failures='^not ok [0-9]+ ([^#]|#[^ ]|# [^S])'

# TAP: counts into the totals, shows what was skipped, and failures with what follows them.
count_tap() { # log
	local ok not_ok skip
	skip=$(grep -cE "$skips" "$1")
	not_ok=$(grep -cE "$failures" "$1")
	ok=$(($(grep -cE '^(not )?ok ' "$1") - skip - not_ok))
	passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
	grep -E "$skips|^# not permitted" "$1"
	[ "$not_ok" -eq 0 ] || grep -A 12 -E "$failures" "$1"
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

# What a command said, kept in its log, and how it ended: a status other than 0 without a
# counted failure is a failure too.
settle() { # how-to-count name status seconds
	local before=$failed log=$logs/${2//\//-}.log
	if ! "count_$1" "$log" || { [ "$3" -ne 0 ] && [ "$failed" -eq "$before" ]; }; then
		failed=$((failed + 1))
		tail -n 40 "$log"
	fi
	printf '%-34s %s  (%d s)\n' "$2" \
		"$([ "$failed" -eq "$before" ] && echo ok || echo FAILED)" "$4"
}

# With RETRY=1 what failed is told, and tried once more: for machines that are shared, where a
# bounded wait may run out. What fails twice has failed.
to_be_retried() { # name status
	local log=$logs/${1//\//-}.log
	[ "${RETRY:-0}" = 1 ] || return 1
	if [ "$2" -eq 0 ] && ! grep -qE "$failures"'|^[0-9]+ passed, [1-9][0-9]* failed' "$log"; then
		return 1
	fi
	echo "$1: failed with status $2, and is tried once more:"
	grep -A 12 -E "$failures" "$log" || tail -n 20 "$log"
}

run() { # how-to-count name command…
	local how=$1 name=$2 started=$SECONDS status
	shift 2
	"$@" >"$logs/${name//\//-}.log" 2>&1 </dev/null
	status=$?
	if to_be_retried "$name" "$status"; then
		"$@" >"$logs/${name//\//-}.log" 2>&1 </dev/null
		status=$?
	fi
	settle "$how" "$name" "$status" $((SECONDS - started))
}

# They wait more than they work, so a few run at once.
run_at_once() { # name=file…
	local each name file status seconds
	for each; do
		printf '%s\n%s\n' "${each%%=*}" "${each#*=}"
	done | xargs -d '\n' -n 2 -P $(($(nproc) + 2)) tests/one.sh "$logs"
	for each; do
		name=${each%%=*} file=${each#*=}
		read -r status seconds <"$logs/${name//\//-}.status" || status=1 seconds=0
		if to_be_retried "$name" "$status"; then
			tests/one.sh "$logs" "$name" "$file"
			read -r status seconds <"$logs/${name//\//-}.status" || status=1 seconds=0
		fi
		settle tap "$name" "$status" "$seconds"
	done
}

suite_unit() {
	local program programs=()
	for program in "$BUILD"/tests/unit/test_*; do
		case $program in *.o | *.d | *.gc*) continue ;; esac
		[ ! -x "$program" ] || programs+=("unit/${program##*/}=$program")
	done
	run_at_once "${programs[@]}"
}

run_bats_of() { # name folder
	local file files=()
	for file in "$2"/*.bats; do
		files+=("$1/$(basename "$file" .bats)=$file")
	done
	run_at_once "${files[@]}"
}

suite_cli() { run_bats_of cli tests/cli; }

suite_python() { run line python timeout 120 tests/python/run.sh; }
suite_abi() { run line abi timeout 60 tests/abi.sh; }
suite_docs() { run line docs timeout 120 tests/docs.sh; }
suite_layers() { run tap layers timeout 120 bats --tap tests/layers.bats; }
suite_install() { run tap install timeout 120 bats --tap tests/install.bats; }
suite_examples() { run tap examples timeout 180 bats --tap tests/examples.bats; }
suite_model() { run line model timeout 600 tests/model/run.sh; }
suite_model_quick() { run line model-quick timeout 600 tests/model/run.sh --quick; }
suite_crash() { run line crash timeout 600 tests/crash/run.sh -k 200; }
suite_crash_all() {
	run line crash-all timeout 1800 tests/crash/run.sh -k 0
	grep '^of .* instructions' "$logs/crash-all.log"
}
suite_stress() { run line stress timeout 300 tests/stress/run.sh 20; }
suite_stress_long() { run line stress-long timeout 900 tests/stress/run.sh 240; }
suite_resources() { run_bats_of resources tests/stress; }
suite_stopped_long() {
	STOPPED_FOR=1m run tap stopped-long timeout 300 bats --tap --filter 'supervisor that is stopped' \
		tests/stress/resources.bats
}
suite_leaks_long() { LIVES=10000 run tap leaks-long timeout 600 bats --tap tests/stress/leaks.bats; }
suite_fuzz() { run line fuzz timeout 600 tests/fuzz/run.sh 20; }
suite_fuzz_long() { run line fuzz-long timeout 1800 tests/fuzz/run.sh 600; }
suite_guard() { run line guard timeout 300 tests/guard.sh; }
suite_mutants() { run line mutants timeout 900 tests/crash/mutants.sh; }

[ $# -gt 0 ] || set -- unit abi docs layers install python cli examples guard crash model_quick resources stress fuzz
for suite in "$@"; do
	"suite_$suite"
done
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]

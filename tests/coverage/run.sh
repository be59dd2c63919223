#!/usr/bin/env bash
# Which lines of lib/ the unit and the Python tests run, as gcov counts them: `make coverage`.
# Runs them from $BUILD (build-coverage), which is built with COVERAGE=1, and prints the lines that
# are left out and a figure for each file. Fails where a test fails, or a file has fewer lines run
# than least.txt demands. Ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build-coverage}
export BUILD

find "$BUILD" -name '*.gcda' -delete
log=$(mktemp)
trap 'rm -f "$log"' EXIT
tests/run.sh unit python | tee "$log"
echo
python3 tests/coverage/report.py "$BUILD" tests/coverage/least.txt | tee -a "$log"
awk '/^[0-9]+ passed, [0-9]+ failed/ { passed += $1; failed += $3; lines++ }
	END {
		if (lines < 2)
			failed++
		printf "%d passed, %d failed\n", passed, failed
		exit failed > 0
	}' "$log"

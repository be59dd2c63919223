#!/usr/bin/env bash
# What the documentation says is so: the pages' form, their names and examples, README.md.
# Ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0

add() { # command…: one that ends with such a line itself
	local output line
	output=$("$@" 2>&1)
	line=$(tail -n 1 <<<"$output")
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
		[ "${BASH_REMATCH[2]}" -eq 0 ] || sed '$d' <<<"$output"
	else
		failed=$((failed + 1))
		printf '%s\n' "$output"
	fi
}

for page in man/*; do
	[ -L "$page" ] && continue
	if mandoc -T lint -W warning "$page"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
add tests/man-names.sh
add tests/man-examples.sh
add tests/readme.sh
add tests/references.sh

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# The Python tests, over the shared library in $BUILD (build). Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")" || exit 1
output=$(PYTHONDONTWRITEBYTECODE=1 python3 -W error -m unittest -v 2>&1)
status=$?
printf '%s\n' "$output"
total=$(sed -nE 's/^Ran ([0-9]+) tests? .*/\1/p' <<<"$output")
failed=$(sed -nE 's/^FAILED \((.*)\)$/\1/p' <<<"$output" | grep -oE '(failures|errors)=[0-9]+' |
	cut -d= -f2 | paste -sd+ | sed 's/^$/0/')
[ "$status" -eq 0 ] || [ "$((${failed:-0}))" -gt 0 ] || failed=1
printf '%d passed, %d failed\n' "$((${total:-0} - (${failed:-0})))" "$((${failed:-0}))"
exit "$status"

#!/usr/bin/env bash
# Breaks the library on purpose, one patch of tests/crash/mutants at a time, in a copy,
# and sees whether the kill test notices: tests/crash/mutants.sh [PATCH…]
# A patch's line "Operations: NAME…" says which operations must notice.
# Prints "caught" or "MISSED" for each, and ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}

# Without arguments all, half of them at a time in each of two copies.
if [ $# -eq 0 ]; then
	halves=([0]="" [1]="")
	number=0 status=0
	for patch in tests/crash/mutants/*.patch; do
		halves[number++ % 2]+=" $patch"
	done
	other=$(mktemp)
	# shellcheck disable=SC2086  # several words on purpose
	"$0" ${halves[1]} >"$other" 2>&1 &
	# shellcheck disable=SC2086
	one=$("$0" ${halves[0]} 2>&1) || status=1
	wait $! || status=1
	printf '%s\n' "$one" | cat - "$other" | awk '
		/^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; next }
		{ print }
		END { print passed + 0 " passed, " failed + 0 " failed" }'
	rm -f "$other"
	exit "$status"
fi
read -r -a make <<<"${MAKE:-make}"
jobs=1
copy=$(mktemp -d)
passed=0 failed=0
trap 'rm -rf "$copy"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL

verdict() { # word patch remark
	[ "$1" = caught ] && passed=$((passed + 1)) || failed=$((failed + 1))
	printf '%-7s %-28s %s\n' "$1" "$2" "$3"
}

build() { # in the copy
	(cd "$copy" && "${make[@]}" -s -j"$jobs" BUILD=build build/tests/crash/crash) >"$copy/build.log" 2>&1
}

mkdir -p "$copy/tests" "$copy/build/tests/crash"
cp -a Makefile include lib "$copy/"
cp -a tests/crash "$copy/tests/"
cp -a lib "$copy/lib.whole"
if ! build; then
	tail -n 20 "$copy/build.log"
	echo "0 passed, 1 failed"
	exit 1
fi

for patch in "$@"; do
	name=$(basename "$patch" .patch)
	read -r -a operations < <(sed -n 's/^Operations: //p' "$patch")
	# What the last patch has changed is put back, newer than its object.
	for file in "$copy"/lib/*/*; do
		whole=$copy/lib.whole/${file#"$copy/lib/"}
		cmp -s "$file" "$whole" || cp "$whole" "$file"
	done
	if ! patch -s --no-backup-if-mismatch -r - -d "$copy" -p1 <"$patch" >"$copy/patch.log" 2>&1; then
		verdict MISSED "$name" "the patch does not apply"
	elif ! build; then
		verdict MISSED "$name" "it does not build"
	elif timeout 120 "$copy/build/tests/crash/crash" -k 150 "${operations[@]}" >"$copy/run.log" 2>&1; then
		verdict MISSED "$name" "by ${operations[*]}"
	elif ! grep -qE '^[0-9]+ passed, [1-9][0-9]* failed' "$copy/run.log"; then
		verdict MISSED "$name" "the test broke off"
	else
		verdict caught "$name" "$(grep -m1 -E '^[a-z-]+: ' "$copy/run.log" | cut -c1-100)"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

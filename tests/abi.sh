#!/usr/bin/env bash
# What the shared library promises to others: it exports what invctl.h declares, all of it
# and nothing else, with C linkage, and the header compiles as C11 and as C++.
# BUILD is the folder of the build under test (build). Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-cc}
CXX=${CXX:-g++}
library=$BUILD/libinvctl.so.0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

check() { # what command…
	local what=$1
	shift
	if "$@" >"$scratch/output" 2>&1; then
		passed=$((passed + 1))
		printf 'ok      %s\n' "$what"
	else
		failed=$((failed + 1))
		printf 'FAILED  %s\n' "$what"
		cat "$scratch/output"
	fi
}

# What the header declares: every inv_NAME( that is left without the comments.
"$CC" -E -P include/invctl.h | tr '\n' ' ' | grep -oE '\binv_[a-z_]+ ?\(' | tr -d ' (' |
	sort -u >"$scratch/declared"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	sort -u >"$scratch/exported"

check "the header declares functions" test -s "$scratch/declared"
check "exports are what the header declares" diff "$scratch/declared" "$scratch/exported"
check "every export has a version" \
	bash -c "! nm -D --defined-only '$library' | awk '\$2 != \"A\" { print \$3 }' | grep -v @@INVCTL_"
check "the soname is libinvctl.so.0" \
	bash -c "readelf -d '$library' | grep -qF 'Library soname: [libinvctl.so.0]'"
check "no text relocations, no executable stack" \
	bash -c "! readelf -dW '$library' | grep -q TEXTREL && readelf -lW '$library' | grep GNU_STACK | grep -qv RWE"

printf '#include <invctl.h>\n' >"$scratch/header.c"
check "the header is C11" \
	"$CC" -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror \
	-Iinclude -fsyntax-only "$scratch/header.c"
for standard in c++11 c++17 c++20; do
	check "the header is $standard" \
		"$CXX" -std=$standard -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \
		-Iinclude -fsyntax-only tests/unit/header_cxx.cc
done
check "a C++ program links" \
	"$CXX" -Wall -Wextra -Werror -Iinclude -o "$scratch/header_cxx" tests/unit/header_cxx.cc \
	"$library" -Wl,-rpath,"$(realpath "$BUILD")"
check "a C++ program runs" "$scratch/header_cxx"

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# The C examples of the section-3 pages compile without a warning, and link, against
# include/ and the shared library of BUILD (build).
# Ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-cc}
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
passed=0 failed=0

# The displays of the section EXAMPLES, with roff's escapes undone.
examples_of() { # page
	awk '
		/^\.Sh / { inside = /^\.Sh EXAMPLES/; next }
		inside && /^\.Bd -literal/ { display = 1; next }
		/^\.Ed/ { display = 0 }
		display { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-"); print }
	' "$1"
}

for page in man/*.3; do
	[ -L "$page" ] && continue
	name=$(basename "$page" .3)
	examples_of "$page" >"$directory/$name.c"
	if grep -q 'int main(' "$directory/$name.c" &&
		"$CC" -std=c11 -Wall -Wextra -Werror -Iinclude -o "$directory/$name" \
			"$directory/$name.c" -L"$BUILD" -linvctl; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$page: its example does not compile, or there is none"
	fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

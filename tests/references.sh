#!/usr/bin/env bash
# Every test that the table of tests/README.md names is there: under that name, in that file.
# Ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")" || exit 1
section='## What must survive, and the test that shows it'
passed=0 failed=0

rows() {
	awk -v section="$section" '$0 == section { inside = 1; next } /^## / { inside = 0 }
		inside && /^\| [0-9]/' README.md
}

has() { # regular expression, its words quoted by `quoted`
	grep -qE -- "$1" "$2"
}

quoted() {
	sed 's/[][\.*^$+?(){}|/]/\\&/g' <<<"$1"
}

# A cmocka test counts when it is in the list that is run.
is_there() { # reference
	local file=${1%%: *} name
	name=$(quoted "${1#*: }")
	[ -f "$file" ] || return 1
	case $1 in
	*.patch) ;;
	unit/*.c:\ *) has "\\b([A-Z_]*TEST|cmocka_unit_test[a-z_]*)\\(${name}[,)]" "$file" ;;
	*.bats:\ *) has "^@test \"$name\" \\{" "$file" ;;
	crash/*.c:\ *) has "\\.name = \"$name\"" "$file" ;;
	model/run.sh:\ *) has "^(QUICK|FULL) .* $name:" "$file" ;;
	*.sh:\ * | *.py:\ * | *.c:\ *) has "\"$name\"" "$file" ;;
	*) return 1 ;;
	esac
}

number=0
while IFS='|' read -r _ row _ _ references _; do
	number=$((number + 1))
	found=0
	while read -r reference; do
		found=$((found + 1))
		if is_there "$reference"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "tests/README.md: row $((row)) names what is not there: $reference"
		fi
	done < <(awk 'BEGIN { RS = "\140" } NR % 2 == 0' <<<"$references")
	if [ "$((row))" -ne "$number" ] || [ "$found" -eq 0 ]; then
		failed=$((failed + 1))
		echo "tests/README.md: row $((row)) is out of order, or names no test"
	fi
done < <(rows)

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

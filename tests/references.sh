#!/usr/bin/env bash
# Every test that tests/promises.txt names is there: under that name, in that file.
# Ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")" || exit 1
passed=0 failed=0

quoted() { # for a regular expression
	sed 's/[][\.*^$+?(){}|/]/\\&/g' <<<"$1"
}

# A cmocka test counts when it is in the list that is run.
is_there() { # reference
	local file=${1%%: *} name pattern
	name=$(quoted "${1#*: }")
	[ -f "$file" ] || return 1
	case $1 in
	*.patch) return 0 ;;
	unit/*.c:\ *) pattern="\\b([A-Z_]*TEST|cmocka_unit_test[a-z_]*)\\(${name}[,)]" ;;
	*.bats:\ *) pattern="^@test \"$name\" \\{" ;;
	crash/*.c:\ *) pattern="\\.name = \"$name\"" ;;
	model/run.sh:\ *) pattern="^(QUICK|FULL) .* $name:" ;;
	*.sh:\ * | *.py:\ * | *.c:\ *) pattern="\"$name\"" ;;
	*) return 1 ;;
	esac
	grep -qE -- "$pattern" "$file"
}

fail() { # what
	failed=$((failed + 1))
	echo "tests/promises.txt: $1"
}

end_of_entry() {
	if [ "$promised" -eq 0 ] || [ "$found" -eq 0 ]; then
		fail "$number promises nothing, or names no test"
	fi
}

number=0 promised=1 found=1
while IFS= read -r line; do
	case $line in
	'' | '#'*) ;;
	$'\t- '*)
		found=$((found + 1))
		if is_there "${line#$'\t- '}"; then
			passed=$((passed + 1))
		else
			fail "$number names what is not there: ${line#$'\t- '}"
		fi
		;;
	$'\t'*) promised=$((promised + 1)) ;;
	*)
		end_of_entry
		[ "${line%% *}" = "$((number + 1))" ] || fail "the numbers don't follow: $number, $line"
		number=${line%% *} promised=0 found=0
		;;
	esac
done <promises.txt
end_of_entry

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

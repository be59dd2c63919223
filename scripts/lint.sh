#!/usr/bin/env bash
# Every linter over every file it knows; ends with the line "N passed, N failed".
# Changes nothing. `scripts/lint.sh NAME…` runs those named: format tidy cppcheck shell man layers environment
# markers.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0

lint() { # name command…
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		passed=$((passed + 1))
		printf '%-10s ok\n' "$name"
	else
		failed=$((failed + 1))
		printf '%-10s FAILED\n%s\n' "$name" "$output"
	fi
}

c_files() { git ls-files --cached --others --exclude-standard -- '*.c' '*.h'; }
shell_files() {
	git ls-files --cached --others --exclude-standard -- '*.sh' '*.bash' '.ci/run' 'examples/*' |
		xargs grep -lE '^#!.*(ba)?sh|^# shellcheck shell=' | grep -vE '\.(fish|zsh|patch)$'
}

format() { c_files | xargs clang-format --dry-run --Werror; }

tidy() {
	git ls-files --cached --others --exclude-standard -- 'lib/*.c' 'cmd/*.c' 'examples/*.c' |
		xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "$@" -- -std=c11 -D_GNU_SOURCE -Iinclude \
			-iquote lib -iquote cmd -DINV_VERSION=\"0\" -DINV_LIBEXECDIR=\"/\" -DINV_BINDIR=\"/\"' tidy
}

run_cppcheck() {
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem -D_GNU_SOURCE -Iinclude -Ilib -Icmd \
		-j 2 lib cmd examples
}

shell() { shell_files | xargs shellcheck -x; }
# Bats runs each test in a subshell, which shellcheck tells of as information.
bats_shell() { git ls-files --cached --others --exclude-standard -- '*.bats' | xargs shellcheck -x -s bats -S warning; }
man_pages() { mandoc -T lint -W warning man/*.[138]; }

# A program with raised privileges takes nothing from its environment: see secure_getenv(3).
environment() { ! git grep -nE '(^|[^_[:alnum:]])getenv\(' -- lib cmd; }

# What a merge leaves where it was not resolved.
markers() { ! git grep -nE '^(<{7}|>{7})( |$)'; }

# Who includes and calls whom.
layers() { scripts/layers.py; }

[ $# -gt 0 ] || set -- shell bats man layers environment markers format cppcheck tidy
for name in "$@"; do
	case $name in
	bats) lint bats bats_shell ;;
	man) lint man man_pages ;;
	cppcheck) lint cppcheck run_cppcheck ;;
	*) lint "$name" "$name" ;;
	esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Runs one bats file or one unit test for tests/run.sh: tests/one.sh LOG-FOLDER NAME FILE
# NAME is as in "cli/run". Leaves what it said in cli-run.log, exit status and seconds in
# cli-run.status.
set -u
base=$1/${2//\//-}
started=$SECONDS
case $3 in
*.bats) timeout 600 bats --tap "$3" ;;
*) CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$3" ;;
esac >"$base.log" 2>&1 </dev/null
echo "$? $((SECONDS - started))" >"$base.status"

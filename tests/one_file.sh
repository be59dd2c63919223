#!/usr/bin/env bash
# Runs one bats file for tests/run.sh: tests/one_file.sh FILE LOG-FOLDER
# Leaves what it said in cli-NAME.log, exit status and seconds in cli-NAME.status.
set -u
base=$2/cli-$(basename "$1" .bats)
started=$SECONDS
timeout 600 bats --tap "$1" >"$base.log" 2>&1 </dev/null
echo "$? $((SECONDS - started))" >"$base.status"

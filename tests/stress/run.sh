#!/usr/bin/env bash
# The storm: many processes that register, run, cancel and wait, while workers,
# supervisors, brokers and actions are SIGKILLed at random: tests/stress/run.sh [SECONDS [SEED]]
# It goes on for SECONDS (40), and is judged then. Ends with "N passed, N failed".
# BUILD is the build's folder (build).
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/stress/build.sh
. tests/stress/build.sh
stress_program worker worker.c worker_runs.c note.c chance.c
stress_program census census.c
stress_program fill fill.c
exec env PYTHONDONTWRITEBYTECODE=1 python3 -W error tests/stress/storm.py "${1:-40}" "${2:-}"

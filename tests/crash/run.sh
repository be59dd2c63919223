#!/usr/bin/env bash
# Builds the kill test and runs it: tests/crash/run.sh [-k KILLS] [OPERATION…]
# BUILD is the build's folder (build); MAKE the make to build with.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
read -r -a make <<<"${MAKE:-make}"
# A make around this one has its own flags and job server.
unset MAKEFLAGS MFLAGS MAKELEVEL
"${make[@]}" -s BUILD="$BUILD" "$BUILD/tests/crash/crash" >&2
exec "$BUILD/tests/crash/crash" "$@"

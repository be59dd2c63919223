#!/usr/bin/env bash
# After the tests: no process of this build and no table of a test is left.
set -u
cd "$(dirname "$0")/.." || exit 1
left=0
for exe in /proc/[0-9]*/exe; do
	target=$(readlink "$exe" 2>/dev/null) || continue
	case $target in
	"$PWD"/build*)
		pid=${exe#/proc/}
		echo "left: process ${pid%/exe} $target"
		left=1
		;;
	esac
done
for object in /dev/shm/*test*; do
	[ -e "$object" ] || continue
	echo "left: $object"
	left=1
done
exit "$left"

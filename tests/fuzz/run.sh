#!/usr/bin/env bash
# Hostile segments: tests/fuzz/run.sh [SECONDS]
# Builds the fuzzer of the attach and of every reader with clang, runs it for SECONDS (60)
# from a corpus made on the fly, and then the test in which a live table is damaged.
# BUILD is the build's folder (build); FUZZ_SEED the fuzzer's seed (1).
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
BUILD=${BUILD:-build}
out=$BUILD/fuzz
work=$(mktemp -d)
export FUZZ_TABLE=fuzz-$$
export INVCTL_STATE_DIR=$work/state
unset INVCTL_ID INVCTL_TABLE
passed=0 failed=0
trap 'rm -rf "$work"; rm -f /dev/shm/"$FUZZ_TABLE"-*' EXIT
mkdir -p "$out" "$work/corpus"

verdict() { # status name
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $2"
	else
		failed=$((failed + 1))
		echo "not ok $2"
	fi
}

flags=(-std=c11 -D_GNU_SOURCE '-DINV_VERSION="fuzz"' '-DINV_LIBEXECDIR="/nowhere"' '-DINV_BINDIR="/nowhere"'
	-Iinclude -iquote lib -iquote cmd -Itests/fuzz -g -Wall -Wextra -Wpedantic -Wshadow -Wconversion
	-Wstrict-prototypes -Wmissing-prototypes -Werror)
libraries=(-luuid -lrt -lpthread)

build_fuzzer() {
	clang "${flags[@]}" -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -Wl,--wrap=syscall -Wl,--wrap=mmap -Wl,--wrap=munmap \
		-o "$out/segment" tests/fuzz/segment.c tests/fuzz/scene.c cmd/supervise/escalation.c lib/*/*.c \
		"${libraries[@]}"
}

build_mutator() {
	clang "${flags[@]}" -O1 -o "$out/mutator" tests/fuzz/mutator.c lib/*/*.c "${libraries[@]}"
}

# Every call on every id of every scene, with nothing damaged, and a word of each kind damaged.
seed_corpus() {
	local scene call damage
	for scene in 0 1 2; do
		for call in {128..139}; do
			for damage in '' '\x01\x02\x00\xff\xff\xff\xff\xff\xff\xff\xff' '\x02\x03\x00\x0b\x07\x00' \
				'\x07\x00\x00\x02\x00\x07\x08\x00\x00\x00\x00\x00\x00\x00' \
				'\x04\x00\x00\x03\x00\x04\x00\x01'; do
				{
					printf '%b' "\\x0$scene$damage"
					for id in 00 01 02 83 04 85 06 07 08; do
						printf '%b' "\\x$(printf %02x "$call")\\x$id"
					done
				} >"$work/corpus/$scene-$call-${#damage}"
			done
		done
	done
}

fuzz() {
	timeout -k 10 $((seconds + 120)) "$out/segment" -seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" \
		-timeout=10 -rss_limit_mb=2048 -max_len=512 -len_control=0 -print_final_stats=1 -artifact_prefix="$out/" \
		"$work/corpus" >"$out/fuzz.log" 2>&1
}

build_fuzzer
verdict $? "the fuzzer is built"
seed_corpus
fuzz
status=$?
[ "$status" -eq 0 ] || tail -n 60 "$out/fuzz.log"
grep -E 'stat::number_of_executed_units|stat::average_exec_per_sec' "$out/fuzz.log"
grep -E 'cov: [0-9]+' "$out/fuzz.log" | tail -n 1
verdict "$status" "no damage makes an attacher crash, hang or signal a bystander"

build_mutator
verdict $? "the mutator is built"
timeout -k 10 240 "$out/mutator" "$BUILD/invctl"
verdict $? "a table that is damaged, punched and truncated under use harms nobody"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

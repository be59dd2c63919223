#!/usr/bin/env bats
# `scripts/lint.sh layers` fails on each include and call that scripts/layers.txt does not allow, and
# names it. Each test breaks a copy of the tree in one place.
# BUILD is the folder of the build whose objects the copy begins with (build).

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load
load /usr/lib/bats/bats-assert/load

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return
	local objects=$BATS_TEST_TMPDIR/objects copy=$BATS_TEST_TMPDIR/copy build=${BUILD:-build}
	mkdir "$copy"
	cp -a Makefile lib cmd include scripts "$copy"
	find "$build/lib" "$build/cmd" -name '*.[od]' ! -name '*.pic.*' >"$objects"
	xargs cp -a --parents -t "$copy" <"$objects"
	[[ $build == build ]] || mv "$copy/$build" "$copy/build"
	cd "$copy" || return
	unset MAKEFLAGS MFLAGS MAKELEVEL
	export BUILD=build
}

assert_caught() { # message
	run scripts/lint.sh layers
	assert_failure
	assert_line "$1"
}

# add_call CALLER CALLEE: caller_probe of one file calls callee_probe of the other.
add_call() {
	local symbol
	symbol=$(tr -c 'a-z\n' _ <<<"probe_of_$2")
	printf 'int %s(void);\nint %s(void)\n{\n\treturn 0;\n}\n' "$symbol" "$symbol" >>"$2"
	printf 'int %s(void);\nint calls_%s(void);\nint calls_%s(void)\n{\n\treturn %s();\n}\n' \
		"$symbol" "$symbol" "$symbol" "$symbol" >>"$1"
}

@test "the tree as it is passes" {
	run scripts/lint.sh layers
	assert_output --partial "1 passed, 0 failed"
}

@test "an include of a higher folder" {
	echo '#include "table/slot.h"' >>lib/os/futex.c
	assert_caught "lib/os/futex.c includes lib/table/slot.h, which is higher"
}

@test "an include of the inside of the library by a program" {
	echo '#include "table/slot.h"' >>cmd/invbroker/watch.c
	assert_caught "cmd/invbroker/watch.c includes lib/table/slot.h, which cmd/invbroker may not use"
}

@test "what only the broker may include" {
	echo '#include "api/broker.h"' >>cmd/invctl/run.c
	assert_caught "cmd/invctl/run.c includes lib/api/broker.h, which cmd/invctl may not use"
}

@test "an include of another program" {
	echo '#include "invbroker/loop.h"' >>cmd/invctl/run.c
	assert_caught "cmd/invctl/run.c includes cmd/invbroker/loop.h, which cmd/invctl may not use"
}

@test "an include of the command line by the library" {
	echo '#include "common/message.h"' >>lib/api/run.c
	assert_caught "lib/api/run.c includes cmd/common/message.h, which lib/api may not use"
}

@test "an include that names no layer, by whatever way" {
	echo '#include "slot.h"' >>cmd/invbroker/watch.c
	echo '#include "../../lib/table/slot.h"' >>cmd/invbroker/loop.c
	assert_caught 'cmd/invbroker/watch.c includes "slot.h", which names no layer'
	assert_line 'cmd/invbroker/loop.c includes "../../lib/table/slot.h", which names no layer'
}

@test "a call of a higher folder" {
	add_call lib/os/futex.c lib/table/slot.c
	assert_caught "lib/os/futex.c calls probe_of_lib_table_slot_c of lib/table/slot.c, which is higher"
}

@test "a call of the inside of the library by a program" {
	add_call cmd/invbroker/watch.c lib/table/slot.c
	assert_caught "cmd/invbroker/watch.c calls probe_of_lib_table_slot_c of lib/table/slot.c, which cmd/invbroker may not use"
}

@test "a call of what only the broker may call, and of what no header declares" {
	printf 'void broker_unserve(void *);\nvoid wrong(void *);\nvoid wrong(void *t)\n{\n\tbroker_unserve(t);\n}\n' \
		>>cmd/invctl/run.c
	add_call cmd/invbroker/watch.c lib/api/broker.c
	assert_caught "cmd/invctl/run.c calls broker_unserve of lib/api/broker.c, which cmd/invctl may not use"
	assert_line "cmd/invbroker/watch.c calls probe_of_lib_api_broker_c of lib/api/broker.c, which cmd/invbroker may not use"
}

@test "a call of another program, and from what is shared by both up into one" {
	add_call cmd/invctl/run.c cmd/invbroker/loop.c
	add_call cmd/common/message.c cmd/invctl/list.c
	assert_caught "cmd/invctl/run.c calls probe_of_cmd_invbroker_loop_c of cmd/invbroker/loop.c, which cmd/invctl may not use"
	assert_line "cmd/common/message.c calls probe_of_cmd_invctl_list_c of cmd/invctl/list.c, which cmd/common may not use"
}

@test "two files of one folder that call each other" {
	add_call lib/os/futex.c lib/os/process.c
	add_call lib/os/process.c lib/os/futex.c
	assert_caught "a circle of calls: lib/os/futex.c calls probe_of_lib_os_process_c of lib/os/process.c, lib/os/process.c calls probe_of_lib_os_futex_c of lib/os/futex.c"
}

@test "a folder that no layer names" {
	mkdir lib/more
	cp lib/os/futex.c lib/more
	assert_caught "lib/more is not in scripts/layers.txt"
}

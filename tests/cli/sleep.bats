#!/usr/bin/env bats
# invctl sleep: like sleep(1), until asked to stop.

load helpers

@test "sleeps its full time, in every unit; several are added" {
	run -0 "$INVCTL" sleep 0
	run -0 "$INVCTL" sleep 10ms 10000us .01 0.01s
	run -0 "$INVCTL" run "$INVCTL" sleep 10ms 0.0001m 0.00001h 0.000001d
	assert_output ""
}

@test "it is not shorter than asked for" {
	local before after
	before=$(date +%s%N)
	"$INVCTL" sleep 30ms 20ms
	"$INVCTL" run "$INVCTL" sleep 50ms
	after=$(date +%s%N)
	((after - before >= 100000000))
}

@test "what is no duration is 2" {
	for text in '' x -1 +1 1e3 0x10 nan infinity '1 s' 1sec 200000d 1.2.3 .; do
		run -2 "$INVCTL" sleep -- "$text"
		assert_output --partial "invctl: "
	done
	run -2 "$INVCTL" sleep
	run -2 "$INVCTL" sleep 100000d 100000d
}

@test "a request ends it at once: 122, taken" {
	start -- sh -c '"$INVCTL" sleep inf; echo $? >>out; "$INVCTL" check; echo $? >>out'
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel "$ID"
	ended_with 0
	[[ $(paste -sd' ' out) == "122 0" ]]
}

@test "--peek leaves it for a check" {
	start -- sh -c '"$INVCTL" sleep --peek 1000; echo $? >>out; "$INVCTL" sleep --peek 1000
		echo $? >>out; "$INVCTL" check; echo $? >>out'
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel "$ID"
	ended_with 0
	[[ $(paste -sd' ' out) == "122 122 122" ]]
}

@test "a request made before it began ends it at once" {
	start -- sh -c '"$INVCTL" check --peek; until "$INVCTL" check --peek; [ $? = 1 ]; do
		sleep 0.02; done; "$INVCTL" sleep 1000; exit $?'
	retry field_is "$ID" .cooperative true
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "--id sleeps for another invocation, and ends with 115 when that ends" {
	start -- sh -c 'until [ -e let ]; do sleep 0.02; done'
	"$INVCTL" sleep --id="$ID" inf 3>&- &
	local sleeper=$! status=0
	STARTED_PIDS+=("$sleeper")
	retry field_is "$ID" .cooperative true
	touch let
	retry process_is_gone "$sleeper"
	wait "$sleeper" || status=$?
	[[ $status == 115 ]]
}

@test "signals end it as they end sleep(1)" {
	start -- "$INVCTL" sleep inf
	retry field_is "$ID" .cooperative true
	kill -TERM "$(field "$ID" .pid)"
	ended_with 143
}

@test "stopped and continued, it sleeps on" {
	start -- "$INVCTL" sleep inf
	retry field_is "$ID" .cooperative true
	kill -STOP "$(field "$ID" .pid)"
	kill -CONT "$(field "$ID" .pid)"
	"$INVCTL" cancel "$ID"
	ended_with 122
}

@test "a broken context does not sleep: 113" {
	INVCTL_ID=$(new_id) run -113 "$INVCTL" sleep inf
	INVCTL_REQUIRE=1 run -113 "$INVCTL" sleep inf
}

@test "under another table it only sleeps" {
	INVCTL_ID=$(new_id) run -0 "$INVCTL" --table=another-table sleep 10ms
}

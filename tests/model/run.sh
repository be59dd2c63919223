#!/usr/bin/env bash
# Check the models with spin: the good ones must hold, the broken variants must fail.
#
#   run.sh [--quick]
#
# A line for each; the last one counts. Exit 0 if all came out as they should.
# --quick leaves out the largest. CC chooses the compiler, JOBS (2) how many at once.
set -u

models=$(cd "$(dirname "$0")" && pwd)
# Of each case: processor time, and, on a busy machine, time altogether.
cpu_limit_s=90
limit_s=240
quick=0
case "${1-}" in
--quick) quick=1 ;;
'') ;;
*)
	echo "usage: $0 [--quick]" >&2
	exit 2
	;;
esac
for tool in spin "${CC:=cc}" timeout; do
	if ! command -v "$tool" >/dev/null; then
		echo "$0: $tool is needed and not there" >&2
		exit 2
	fi
done

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# The configurations: what takes part.
two="-DREGISTRARS=2 -DSLOTS=2 -DOWNERS=2 -DSWEEPERS=1"
reuse="-DREGISTRARS=2 -DSLOTS=1 -DOWNERS=1 -DSWEEPERS=2 -DDEATHS=1"
look="-DREGISTRARS=2 -DSLOTS=1 -DOWNERS=1 -DSWEEPERS=1 -DLOOKERS=1 -DDEATHS=1"
three="-DREGISTRARS=3 -DSLOTS=3 -DOWNERS=3 -DDEATHS=0"
wakes="-DPROMPT -DSETTERS=1 -DCLEARERS=1 -DWAITERS=2"
takes="-DPROMPT -DSETTERS=2 -DCONSUMERS=2 -DWAITERS=1"
ends="-DPROMPT -DSETTERS=1 -DWAITERS=1 -DAWAITERS=1 -DOWNERS=1 -DTENANTS=1"
kills="-DSETTERS=1 -DCLEARERS=1 -DWAITERS=2 -DDEATHS=1"
lost="-DSETTERS=1 -DAWAITERS=1 -DOWNERS=1 -DDEATHS=1"

# FULL|QUICK good|broken|live  MODEL  WHAT IT IS CALLED : FLAGS
cases="
QUICK good   slot  two rivals, a death: $two -DDEATHS=1
QUICK good   slot  two rivals, levels taken into use, a death: $two -DDEATHS=1 -DLEVELS
FULL  good   slot  two rivals, two deaths: $two -DDEATHS=2
FULL  good   slot  three rivals: $three
QUICK good   slot  an index used again: $reuse
QUICK good   slot  an index used again, a looker: $look
FULL  live   slot  two rivals end: $two -DDEATHS=1
QUICK live   slot  an index used again, all end: $look
QUICK good   event set and clear, no slices: $wakes
QUICK good   event two consumers, no slices: $takes
QUICK good   event the end and the next tenant, no slices: $ends
FULL  good   event the end and two who await it, no slices: ${ends/AWAITERS=1/AWAITERS=2}
QUICK good   event setter, consumer and owner killed: -DSETTERS=1 -DCONSUMERS=1 -DWAITERS=1 -DOWNERS=1 -DDEATHS=1
QUICK live   event setter killed, waiters return: -DSETTERS=1 -DCLEARERS=1 -DWAITERS=1 -DDEATHS=1
FULL  live   event setter killed, two waiters return: $kills
FULL  live   event owner killed, who awaits it returns: $lost
QUICK good   notification  an owner and other news, a death: -DTELLERS=1 -DDEATHS=1
QUICK good   notification  an owner and a sweeper, both die: -DSWEEPERS=1 -DDEATHS=2
FULL  good   notification  two owners, a death: -DOWNERS=2 -DDEATHS=1
QUICK good   notification  an orphan is asked, two deaths: -DORPHAN -DOWNERS=0 -DTELLERS=2 -DDEATHS=2
QUICK good   takeover three brokers after a supervisor: -DDEATHS=3
FULL  good   takeover all of them die: -DDEATHS=4
FULL  good   lease   two owners, a death: -DDEATHS=1
QUICK good   lease   two owners, both die: -DDEATHS=2
FULL  good   request one requester: -DASKERS=1
QUICK good   request two requesters, a death: -DASKERS=2 -DDEATHS=1
FULL  good   request three requesters: -DASKERS=3
QUICK good   request two ways of one call: -DASKERS=2 -DSAME_CALL
QUICK good   shield  two holders, both die: -DDEATHS=2
QUICK good   shield  begun by others, which are killed: -DDEATHS=1 -DKILLS=1
FULL  good   progress two writers: -DDEATHS=0
QUICK good   progress two writers, a death: -DDEATHS=1
FULL  good   progress two writers, three tries: -DTRIES=3
QUICK broken takeover NO_GIVEN: -DDEATHS=3
FULL  broken takeover CLOSE_FIRST: -DDEATHS=3
FULL  broken lease   LEASE_LAST: -DDEATHS=0
QUICK broken lease   GIVE_BACK_FIRST: -DDEATHS=0
FULL  broken lease   NO_OWNER_STILL: -DDEATHS=1
QUICK good   hold   a holder, a death: -DHOLDERS=1 -DDEATHS=1
QUICK good   hold   two holders and a release, a death: -DHOLDERS=2 -DRELEASES=1 -DDEATHS=1
QUICK good   pause  two pausers and two resumers: -DPAUSERS=2 -DRESUMERS=2
QUICK good   pause  a registration, two pausers and a resumer: -DPAUSERS=2 -DREGISTRARS=1
QUICK good   pause  a checker and a request, no slices: -DPROMPT -DPAUSERS=2 -DCHECKERS=1 -DSETTERS=1
QUICK good   pause  a supervisor, a request and a registration: -DSUPERVISORS=1 -DSETTERS=1 -DREGISTRARS=1
QUICK good   pause  a supervisor, two pausers and a resumer: -DPAUSERS=2 -DSUPERVISORS=1
QUICK good   pause  a supervisor and a checker, a death: -DSUPERVISORS=1 -DCHECKERS=1 -DDEATHS=1
QUICK broken pause  NO_WAKE: -DPROMPT -DCHECKERS=1
QUICK broken pause  SET_KEEPS_PAUSE: -DRESUMERS=0 -DSETTERS=1
QUICK broken pause  INHERIT_ONCE: -DREGISTRARS=1
QUICK broken pause  SPREAD_ONCE: -DPAUSERS=1
QUICK broken pause  CHILD_FIRST: -DREGISTRARS=1
QUICK broken pause  NO_SECOND_READ: -DPAUSERS=2 -DSUPERVISORS=1
QUICK broken pause  MARK_FIRST: -DPAUSERS=2 -DSUPERVISORS=1
QUICK broken pause  CLEAR_FIRST: -DSUPERVISORS=1 -DDEATHS=1
QUICK broken hold   NO_SECOND_READ: -DHOLDERS=1
QUICK broken hold   NO_WRITING: -DHOLDERS=2
QUICK broken hold   HELD_FIRST: -DHOLDERS=1
QUICK good   finish nothing dies: -DDEATHS=0
QUICK good   finish two deaths: -DDEATHS=2
QUICK good   finish three deaths: -DDEATHS=3
QUICK broken finish GO_FIRST: -DDEATHS=1
QUICK broken finish MARK_FIRST: -DDEATHS=1
QUICK broken finish NO_SWAP: -DDEATHS=0
QUICK broken finish NOT_AGAIN: -DDEATHS=2
QUICK broken finish NOT_AWAITED: -DDEATHS=1
QUICK good   hold_copy   a hold and its release: -DDEATHS=0
QUICK good   hold_copy   two brokers die: -DDEATHS=2 -DCHANGES=4
QUICK broken hold_copy   STORED_FIRST: -DDEATHS=0
QUICK broken hold_copy   STORED_NOW: -DDEATHS=0
QUICK broken hold_copy   COPY_WINS: -DDEATHS=1
QUICK broken request NO_CLAIM: -DASKERS=2
FULL  broken request READY_FIRST: -DASKERS=2
FULL  broken request SET_FIRST: -DASKERS=1
QUICK broken request ONE_PLACE: -DASKERS=2
QUICK broken request NO_RECHECK: -DASKERS=3
QUICK broken request ONE_TRY: -DASKERS=3
QUICK broken request RECORDS_FIRST: -DASKERS=2 -DSAME_CALL
QUICK broken shield  TAKE_STORES: -DDEATHS=0
FULL  broken shield  DEAD_HOLDS: -DDEATHS=1
QUICK broken shield  HALF_HOLDS: -DDEATHS=0 -DKILLS=1
QUICK broken shield  MORE_STORES: -DDEATHS=1 -DKILLS=1 -DWORDS=1
FULL  broken progress IN_PLACE: -DDEATHS=0
FULL  broken progress READ_ONCE: -DDEATHS=0
QUICK broken progress NO_SECOND: -DDEATHS=0
QUICK broken slot  OWNER_AFTER_CLAIM: $two -DDEATHS=1
QUICK broken slot  NO_GENERATION: $look
QUICK broken slot  SINGLE_TRY: $two -DDEATHS=1
QUICK broken slot  FREE_OWNER_FIRST: $two -DDEATHS=1
QUICK broken slot  NO_OWNER_STILL: $reuse
QUICK broken slot  SETTLE_BEFORE: $two -DDEATHS=0
QUICK broken slot  NO_ABORT: $two -DDEATHS=0
QUICK broken slot  LEVELS_BEFORE: $two -DDEATHS=0
QUICK broken slot  SWEEP_STORES: $look
QUICK broken event WAKE_ONE: $wakes
QUICK broken event NO_SLICE: $kills
QUICK broken event NO_SEQUENCE: $wakes
QUICK broken event NO_GENERATION: $ends
QUICK broken event SET_WHEN_ENDED: $ends
QUICK broken event CONSUME_STORES: $takes
QUICK broken event SLEEP_ON_ENDED: $ends
QUICK broken event WAKE_OWN_ONLY: $ends
QUICK broken event CLOSE_AFTER_OUTCOME: $ends
QUICK broken notification  TELLER_CLEARS: -DTELLERS=1 -DDEATHS=0
QUICK broken notification  WAKE_THEN_COUNT: -DTELLERS=1 -DDEATHS=0
QUICK broken notification  TELL_WHEN_ACTIVE: -DDEATHS=1
QUICK broken notification  SKIP_CLAIMED: -DDEATHS=1
QUICK broken notification  SWEEPS_SILENTLY: -DDEATHS=1
QUICK broken notification  NO_SLICE: -DORPHAN -DOWNERS=0 -DTELLERS=1 -DDEATHS=1
"

# check NUMBER KIND MODEL NAME FLAG...: its line goes to $work/NUMBER.line
check() {
	local number=$1 kind=$2 model=$3 name=$4 verdict states seconds
	local directory="$work/$1" compile=(-O2 -DSAFETY) search=(-m2000000 -E)
	shift 4
	if [[ $kind == broken ]]; then
		set -- "$@" "-D$name"
		compile=(-O0 -DSAFETY) # it is soon found
	fi
	if [[ $kind == live ]]; then
		set -- "$@" -DLIVENESS
		compile=(-O2 -DNFAIR=3)
		search=(-m2000000 -a -f)
	fi
	mkdir "$directory" && cd "$directory" || return
	SECONDS=0
	{
		spin "$@" -a "$models/$model.pml" &&
			"$CC" -w -DCOLLAPSE -DVECTORSZ=1024 -DMEMLIM=1900 "${compile[@]}" -o pan pan.c &&
			ulimit -t "$cpu_limit_s" &&
			timeout "$limit_s" ./pan "${search[@]}"
	} >out 2>&1
	seconds=$SECONDS
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out)
	if grep -q -e 'assertion violated' -e 'acceptance cycle (' out; then
		verdict=caught
	elif grep -q 'errors: 0$' out && ! grep -q -e 'too small' -e 'not completed' out; then
		verdict=holds
	else
		verdict=unfinished
	fi
	case $kind-$verdict in
	good-holds | live-holds) verdict=ok ;;
	broken-caught) verdict='ok, caught' ;;
	good-caught | live-caught) verdict="FAILED, $(grep -m1 -o -e 'assertion violated' -e 'acceptance cycle' out)" ;;
	broken-holds) verdict='FAILED, not caught' ;;
	*) verdict="FAILED, not finished: $(tail -n1 out)" ;;
	esac
	[[ $kind == live ]] && name+=' (liveness)'
	[[ $kind == broken ]] && name="broken by $name"
	echo "$model: $verdict, ${states:-no} states, $seconds s: $name" >"$work/$number.line"
	rm -rf "$directory"
}

number=0
while read -r size kind model rest; do
	[[ -z $size || ($quick -eq 1 && $size == FULL) ]] && continue
	read -ra flags <<<"${rest##*: }"
	while (($(jobs -rp | wc -l) >= ${JOBS:-2})); do
		wait -n
	done
	number=$((number + 1))
	check "$number" "$kind" "$model" "${rest%%: *}" "${flags[@]}" &
done <<<"$cases"
wait

passed=0
failed=0
caught=0
for ((i = 1; i <= number; i++)); do
	line=$(cat "$work/$i.line" 2>/dev/null || echo "case $i: FAILED, no result")
	echo "$line"
	case $line in
	*': ok, caught,'*) ((++caught, ++passed)) ;;
	*': ok,'*) ((++passed)) ;;
	*) ((++failed)) ;;
	esac
done
echo "$caught broken variants caught"
echo "$passed passed, $failed failed"
((passed > 0 && failed == 0))

/*
 * The end of a run in steps, with a finish command: lib/protocol/finish.c, lib/protocol/lifecycle.c,
 * cmd/supervise/ending.c, cmd/supervise/shell_command.c.
 *
 * A supervisor whose command has ended decides the outcome, starts the finish command, records its
 * end, then the outcome. It is killed anywhere, and a broker takes over; then the next one. The
 * process of a finish command may be killed too. A requester makes its request at any time.
 *
 * Two finish commands never run at a time. When the outcome is recorded, the end of one was seen by
 * the process that had started it: so one whose starter died does not count. The outcome says what
 * the event's word said when it was decided. Without deaths the finish command runs once.
 *
 * Broken variants, each of which must fail:
 *   GO_FIRST       the process may execute before it is in the table
 *   MARK_FIRST     FINISHING is set before the outcome is there
 *   NO_SWAP        FINISHING is set whatever has become of the word since
 *   NOT_AGAIN      one that was running when its starter died is not run again
 *   NOT_AWAITED    one that was running when its starter died is not waited for
 */
#ifndef DEATHS
#define DEATHS 2
#endif
#define OWNERS 3   /* the supervisor, and two brokers one after the other */
#define COMMANDS 6 /* processes of finish commands that there may be */

mtype = { NONE, DECIDED, RUNNING, ENDED };
mtype = { UNKNOWN, CANCELLED, COMPLETED, LOST };

/* the table */
bool requested, finishing, done;
mtype state = NONE, outcome = UNKNOWN, recorded = UNKNOWN;
byte action = COMMANDS; /* the process; COMMANDS: none */

/* processes */
bool dead[OWNERS];
byte deaths, started;
bool gone[COMMANDS], released[COMMANDS];
byte starter[COMMANDS];

/* for the assertions */
bool requested_in_time;
bool end_seen; /* of a finish command, by the living process that had started it */
byte running, completed;

/* executes nothing before it is released; without a starter it never is */
proctype command(byte number)
{
	atomic {
		if
		:: released[number] -> skip
		:: !released[number] && dead[starter[number]] -> gone[number] = true; goto over
		fi;
		running++;
		assert(running == 1)
	};
	if
	:: atomic { completed++; running--; gone[number] = true }
	:: atomic { deaths < DEATHS -> deaths++; running--; gone[number] = true }
	fi;
over:	skip
}

proctype requester()
{
	atomic {
		if
		:: !finishing && !done -> requested = true
		:: else
		fi
	}
}

inline decide()
{
	do
	:: finishing || done -> break
	:: else ->
		seen = requested;
#ifdef MARK_FIRST
		atomic { finishing = true; requested_in_time = requested };
#endif
		atomic {
			outcome = (seen -> CANCELLED : (number == 0 -> COMPLETED : LOST));
			state = DECIDED
		};
#ifdef MARK_FIRST
		break
#else
		atomic {
			if
#ifdef NO_SWAP
			:: true ->
#else
			:: requested == seen ->
#endif
				finishing = true;
				requested_in_time = requested;
				break
			:: else
			fi
		}
#endif
	od
}

inline start()
{
	atomic {
		mine = started;
		started++;
		assert(started <= COMMANDS);
		starter[mine] = number;
		run command(mine)
	};
#ifdef GO_FIRST
	released[mine] = true;
#endif
	action = mine;
	state = RUNNING;
#ifndef GO_FIRST
	released[mine] = true;
#endif
	gone[mine];
	atomic { state = ENDED; end_seen = true }
}

proctype owner(byte number)
{
	bool seen;
	byte mine;

	{
		number == 0 || dead[number - 1];
		decide();
		if
		:: state == RUNNING ->
#ifndef NOT_AWAITED
			gone[action];
#endif
#ifdef NOT_AGAIN
			state = ENDED
#else
			start()
#endif
		:: state == DECIDED -> start()
		:: else
		fi;
		atomic {
			if
			:: !done -> done = true; recorded = outcome
			:: else
			fi
		}
	} unless { dead[number] }
}

proctype killer()
{
	do
	:: atomic { !done && deaths < DEATHS && !dead[0] -> dead[0] = true; deaths++ }
	:: atomic { !done && deaths < DEATHS && dead[0] && !dead[1] -> dead[1] = true; deaths++ }
	:: break
	od
}

init
{
	atomic { run owner(0); run owner(1); run owner(2); run requester(); run killer() };
	done;
	assert(running == 0);
	assert(end_seen);
	assert(deaths > 0 || completed == 1);
	assert(recorded != UNKNOWN);
	assert(requested == requested_in_time);
	assert((recorded == CANCELLED) == requested_in_time)
}

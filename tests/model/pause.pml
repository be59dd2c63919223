/*
 * Pauses: lib/protocol/pause.c, the bit in lib/table/event_word.c, and how a supervisor stops and
 * continues processes (delivery_pause in cmd/supervise/deliver.c).
 *
 * Pausers and resumers reach a parent first, then spread its bit to its child, if that is live. A
 * setter requests both. A registrar makes the child live, and inherits. A checker reaches checks of the
 * parent, and stops there while it is paused. The parent's supervisor reads the two words, stops or
 * continues the processes, and takes the mark away. Each access to shared memory is a step, between
 * any two of which a pauser or resumer may be killed, and the supervisor, which has a successor that
 * remembers nothing (DEATHS).
 *
 * PROMPT: there are no slices, and every wake must be right of itself.
 *
 * At a standstill: the checker is stopped only while the parent is paused; what is requested is not
 * paused. Unless a pauser or resumer was killed, the child is paused if its parent is (or a request
 * has ended its pause), and else not; and, unless the supervisor was killed, the processes are
 * stopped if the parent is paused. They are never left stopped.
 *
 * Broken variants, each of which must fail:
 *   NO_WAKE          a resume does not wake
 *   SET_KEEPS_PAUSE  a request leaves the bit
 *   INHERIT_ONCE     a registrar reads its parent's bit once
 *   SPREAD_ONCE      a scan does not begin anew
 *   CHILD_FIRST      a resume reaches the child before the parent
 *   NO_SECOND_READ   the supervisor does not read the bit again: it takes away a later pause's mark
 *   MARK_FIRST       a pause sets the mark before the bit
 *   CLEAR_FIRST      the supervisor takes the mark away before it continues the processes
 */
#ifndef PAUSERS
#define PAUSERS 1
#endif
#ifndef RESUMERS
#define RESUMERS 1
#endif
#ifndef SETTERS
#define SETTERS 0
#endif
#ifndef CHECKERS
#define CHECKERS 0
#endif
#ifndef REGISTRARS
#define REGISTRARS 0
#endif
#ifndef SUPERVISORS
#define SUPERVISORS 0
#endif
#ifndef DEATHS
#define DEATHS 0
#endif

/* event words: | delivered | paused | set | */
#define SET 1
#define PAUSED 2
#define DELIVERED 4
byte parent, child;
bool child_live = (REGISTRARS == 0);

bool stop; /* in the parent's escalation word */

bool stopped; /* the parent's processes */
bool asleep;  /* the checker, on the parent's word */

#define PROCESSES (PAUSERS + RESUMERS)
bool dead[PROCESSES + 1];
bool ended[PROCESSES + 1];
bool supervisor_dead, supervisor_died;
byte deaths;
bool killed; /* a pauser or resumer was */

inline wake() { asleep = false }

/* event_word_pause */
inline pause_word(word)
{
	atomic {
		if
		:: !(word & SET) -> word = word | PAUSED
		:: else
		fi
	}
}

inline mark_stop() { stop = true }

inline spread()
{
	do
	:: atomic { seen = parent & PAUSED };
	   if
	   :: child_live && seen -> pause_word(child)
	   :: child_live && !seen -> atomic { child = child & ~PAUSED }
	   :: !child_live
	   fi;
#ifdef SPREAD_ONCE
	   break
#else
	   if
	   :: atomic { (parent & PAUSED) == seen -> break }
	   :: atomic { (parent & PAUSED) != seen -> skip }
	   fi
#endif
	od
}

proctype pauser(byte me)
{
	byte seen;

	{
#ifdef MARK_FIRST
		mark_stop();
#endif
		pause_word(parent);
		wake();
#ifndef MARK_FIRST
		mark_stop();
#endif
		spread();
		ended[me] = true
	} unless { dead[me] }
}

proctype resumer(byte me)
{
	byte seen;

	{
#ifdef CHILD_FIRST
		atomic { child = child & ~PAUSED };
#endif
		atomic { parent = parent & ~PAUSED };
#ifndef NO_WAKE
		wake();
#endif
		mark_stop();
#ifndef CHILD_FIRST
		spread();
#endif
		ended[me] = true
	} unless { dead[me] }
}

/* cascade_request: a child that is registered afterwards is not reached */
proctype setter()
{
#ifdef SET_KEEPS_PAUSE
	atomic { parent = parent | SET };
#else
	atomic { parent = (parent & ~PAUSED) | SET };
#endif
	wake();
	atomic {
		if
		:: child_live -> child = (child & ~PAUSED) | SET
		:: else
		fi
	}
}

/* The child's own action takes its request. */
proctype child_checker()
{
	atomic { child & SET -> child = (child & ~SET) | DELIVERED }
}

/* pause_inherit */
proctype registrar()
{
	byte seen;

	child_live = true;
	atomic { seen = parent & PAUSED };
	do
	:: seen -> pause_word(child);
#ifdef INHERIT_ONCE
		break
#else
		if
		:: atomic { parent & PAUSED -> break }
		:: atomic { !(parent & PAUSED) -> seen = 0 }
		fi;
		atomic { child = child & ~PAUSED };
		atomic { seen = parent & PAUSED }
#endif
	:: !seen -> break
	od
}

/* inv_event_check, until it has taken the request or has passed one */
proctype checker()
{
	byte word;

	do
	:: atomic { word = parent };
	   if
	   :: word & SET ->
		atomic {
			if
			:: parent == word -> parent = (word & ~SET) | DELIVERED; break
			:: else
			fi
		}
	   :: !(word & SET) && (word & PAUSED) ->
		atomic {
			if
			:: parent == word -> asleep = true
			:: else
			fi
		};
		if
		:: atomic { !asleep }
#ifndef PROMPT
		:: atomic { asleep && !(parent & PAUSED) -> asleep = false }
#endif
		fi
	   :: !(word & (SET | PAUSED)) -> break
	   fi
	od
}

/* One turn after the other: it sleeps while both words are as it has seen them. */
proctype supervisor()
{
	byte seen_parent;
	bool seen_stop, known;

	{
	do
	:: atomic {
		!known || parent != seen_parent || stop != seen_stop ->
		known = true;
		seen_parent = parent
	   };
	   atomic { seen_stop = stop };
	   if
	   :: seen_stop && !(seen_parent & PAUSED) ->
#ifdef CLEAR_FIRST
		stop = false;
		stopped = false;
#else
		stopped = false;
		stop = false;
#endif
#ifndef NO_SECOND_READ
		if
		:: atomic { parent & PAUSED } -> stop = true
		:: atomic { !(parent & PAUSED) }
		fi
#endif
	   :: seen_stop && (seen_parent & PAUSED) -> stopped = true
	   :: else
	   fi
	od
	} unless { supervisor_dead };
	/* the broker takes over, and remembers nothing */
	supervisor_dead = false;
	run supervisor()
}

proctype killer()
{
	byte victim = 1;

	if
	:: atomic { SUPERVISORS > 0 -> supervisor_dead = true; supervisor_died = true; deaths++ }
	:: true
	fi;
	do
	:: atomic {
		deaths < DEATHS && victim <= PROCESSES ->
		if
		:: !ended[victim] -> dead[victim] = true; deaths++; killed = true
		:: true
		fi;
		victim++
	   }
	:: atomic { deaths == DEATHS || victim > PROCESSES -> break }
	od
}

init
{
	byte number = 1;

	atomic {
		do
		:: number <= PAUSERS -> run pauser(number); number++
		:: number > PAUSERS && number <= PROCESSES -> run resumer(number); number++
		:: number > PROCESSES -> break
		od;
		if
		:: SETTERS > 0 -> run setter(); run child_checker()
		:: else
		fi;
		if
		:: REGISTRARS > 0 -> run registrar()
		:: else
		fi;
		if
		:: CHECKERS > 0 -> run checker()
		:: else
		fi;
		if
		:: SUPERVISORS > 0 -> run supervisor()
		:: else
		fi;
		if
		:: DEATHS > 0 -> run killer()
		:: else
		fi;
		number = 0
	}
	timeout -> atomic {
		assert(!asleep || (parent & PAUSED));
		assert(!(parent & SET) || !(parent & PAUSED));
		assert(!(child & SET) || !(child & PAUSED));
		assert(killed || !child_live || !(child & PAUSED) || (parent & PAUSED));
		assert(killed || !child_live || !(parent & PAUSED) || (child & PAUSED) || SETTERS);
		assert(SUPERVISORS == 0 || !stopped || (parent & PAUSED));
		assert(SUPERVISORS == 0 || killed || supervisor_died || PAUSERS == 0 || !(parent & PAUSED) || stopped)
	}
}

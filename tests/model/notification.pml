/*
 * News for the broker: lib/table/notification.c, the entering in lib/table/owner.c, cmd/invbroker/service.c
 * and watch.c.
 *
 * Owners enter, own something, and end it. A sweeper ends what a dead one has left. A
 * teller has other news. Any of them may be killed between any two accesses to shared
 * memory. The broker is two: a thread that sleeps on the count of the news, without an
 * end, and a loop that this thread wakes, and that the death of a process wakes which it
 * watches.
 *
 * At a standstill, when nobody can go on: the dead own nothing, the living are watched,
 * and the loop has looked for what has ended since it ended.
 *
 * ORPHAN: the broker is the supervisor of an invocation too, and the tellers ask it to
 * stop. There the loop looks once a slice, which ends at any time; at a standstill it has
 * taken the request.
 *
 * Broken variants, each of which must fail:
 *   TELLER_CLEARS     the teller, not the broker, takes back that a wake is wanted
 *   WAKE_THEN_COUNT   the teller looks whether a wake is wanted before it counts up
 *   TELL_WHEN_ACTIVE  an owner tells when its entry is ACTIVE
 *   SKIP_CLAIMED      the broker does not watch whose entry is CLAIMED
 *   SWEEPS_SILENTLY   the broker does not tell itself when it has swept after a dead owner
 *   NO_SLICE          the broker looks at its orphan when it hears of it only
 */
#ifndef OWNERS
#define OWNERS 1 /* up to 2 */
#endif
#ifndef TELLERS
#define TELLERS 0
#endif
#ifndef SWEEPERS
#define SWEEPERS 0
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#define PROCESSES (OWNERS + SWEEPERS + TELLERS)

mtype = { FREE, CLAIMED, ACTIVE };

byte news;
bool news_wanted;
mtype entry[3] = FREE;
bool live[3]; /* it owns something that lives */
bool asked;

/* The broker's own. */
bool asleep, woken;
bool watched[3];

/* What no process can see, for the assertions. */
bool dead[PROCESSES + 1];
bool over[3];    /* what it owned has ended */
bool noticed[3]; /* the loop has looked for what has ended since */
bool taken;
byte deaths;

inline news_tell()
{
#ifdef WAKE_THEN_COUNT
	atomic { wanted = news_wanted };
	atomic { news++ };
#else
	atomic { news++ };
	atomic { wanted = news_wanted };
#endif
	if
	:: wanted ->
#ifdef TELLER_CLEARS
		atomic { news_wanted = false };
#endif
		atomic { asleep = false } /* the wake */
	:: else
	fi;
	wanted = false
}

/* By its owner, or by a sweeper: one swap. */
inline end_it(number)
{
	live[number] = false;
	over[number] = true
}

proctype owner(byte me)
{
	bool wanted;

	{
		atomic { entry[me] = CLAIMED };
#ifndef TELL_WHEN_ACTIVE
		news_tell();
#endif
		atomic { entry[me] = ACTIVE };
#ifdef TELL_WHEN_ACTIVE
		news_tell();
#endif
		atomic { live[me] = true };
		atomic { end_it(me) };
		news_tell()
	} unless { dead[me] }
}

/* Ends what one dead owner has left. */
proctype sweeper(byte me)
{
	byte number;
	bool wanted;

	{
		atomic {
			if
			:: dead[1] && live[1] -> number = 1
			:: dead[2] && live[2] -> number = 2
			fi;
			end_it(number)
		};
		news_tell()
	} unless { dead[me] }
}

/* Of something else; or it asks the broker's orphan to stop. */
proctype teller(byte me)
{
	bool wanted;

	{
#ifdef ORPHAN
		atomic { asked = true };
#endif
		news_tell()
	} unless { dead[me] }
}

/* news_wait, again and again */
proctype news_thread()
{
	byte now, seen;

	do
	:: atomic { news_wanted = true };
	   atomic { now = news };
	   if
	   :: now != seen ->
#ifndef TELLER_CLEARS
		atomic { news_wanted = false };
#endif
		atomic { seen = now; woken = true; now = 0 }
	   :: else ->
		atomic { asleep = (news == now); now = 0 };
end:		atomic { !asleep }
	   fi
	od
}

/* What a dead one has left, and its entry. The broker tells itself that there may be
 * something that has ended. */
inline sweep(number)
{
	atomic {
		if
		:: live[number] -> end_it(number)
		:: else
		fi
	};
	atomic { entry[number] = FREE; watched[number] = false };
#ifndef SWEEPS_SILENTLY
	news_tell()
#endif
}

#ifdef SKIP_CLAIMED
#define TO_BE_WATCHED(n) (entry[n] == ACTIVE)
#else
#define TO_BE_WATCHED(n) (entry[n] != FREE)
#endif

inline refresh()
{
	number = 1;
	do
	:: number <= OWNERS ->
		if
		:: atomic {
			TO_BE_WATCHED(number) && !watched[number] && !dead[number] ->
			watched[number] = true
		   }
		:: atomic { TO_BE_WATCHED(number) && dead[number] } -> sweep(number)
		:: else
		fi;
		number++
	:: else -> break
	od;
	number = 0
}

inline look_for_ended()
{
	number = 1;
	do
	:: number <= OWNERS -> atomic { noticed[number] = over[number]; number++ }
	:: else -> break
	od;
	number = 0
}

#define ENDED(n) (watched[n] && dead[n])

proctype loop()
{
	byte number;
	bool wanted, called;

end:	do
	:: atomic {
		if
		:: woken -> woken = false; called = true
		:: ENDED(1) || ENDED(2)
#if defined(ORPHAN) && !defined(NO_SLICE)
		:: asked && !taken
#endif
		fi
	   };
	   atomic { taken = asked };
	   /* watch_step: whoever has died, and whoever is new */
	   number = 1;
	   do
	   :: number <= OWNERS ->
		if
		:: atomic { ENDED(number) } -> sweep(number)
		:: else
		fi;
		number++
	   :: else -> break
	   od;
	   if
	   :: called ->
		refresh();
		look_for_ended()
	   :: else
	   fi;
	   atomic { called = false; number = 0 }
	od
}

proctype killer()
{
	byte victim = 1;

	do
	:: atomic {
		deaths < DEATHS && victim <= PROCESSES ->
		if
		:: dead[victim] = true; deaths++
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
		:: number <= OWNERS -> run owner(number); number++
		:: else -> break
		od;
		do
		:: number <= OWNERS + SWEEPERS -> run sweeper(number); number++
		:: else -> break
		od;
		do
		:: number <= PROCESSES -> run teller(number); number++
		:: else -> break
		od;
		run news_thread();
		run loop();
		run killer();
		number = 1
	}
	timeout ->
	assert(!asked || taken);
	do
	:: atomic {
		number <= OWNERS ->
		assert(!(dead[number] && (live[number] || entry[number] == ACTIVE)));
		assert(dead[number] || entry[number] != ACTIVE || watched[number]);
		assert(!over[number] || noticed[number]);
		number++
	   }
	:: else -> break
	od
}

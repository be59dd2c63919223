/*
 * News for the broker: lib/news.c.
 *
 * Tellers tell; each may be killed between any two accesses to shared memory. A
 * broker waits for news, for ever.
 *
 * PROMPT: there are no slices, and nobody dies (DEATHS 0). Then every wake must be right of
 * itself: at a standstill the broker has seen all that was told. Without PROMPT a
 * slice ends at any time.
 *
 * Broken variants, each of which must fail:
 *   TELLER_CLEARS     the teller, not the broker, takes back that a wake is wanted
 *   WAKE_THEN_COUNT   the teller looks whether a wake is wanted before it counts up
 *   NO_SLICE          the broker sleeps until a wake
 */
#ifndef TELLERS
#define TELLERS 2
#endif
#ifndef TURNS
#define TURNS 2
#endif
#ifndef DEATHS
#define DEATHS 1
#endif

byte news;
bool news_wanted;
bool asleep;

/* What no process can see, for the assertions. */
bool dead[TELLERS + 1];
byte deaths, seen;

inline futex_wake()
{
	asleep = false
}

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
		atomic { futex_wake() }
	:: else
	fi;
	wanted = false
}

proctype teller(byte me)
{
	byte turn;
	bool wanted;

	{
		do
		:: turn < TURNS -> news_tell(); turn++
		:: turn == TURNS -> break
		od
	} unless { dead[me] }
}

/* news_wait, again and again */
proctype broker()
{
	byte now;

	do
	:: atomic { news_wanted = true };
	   atomic { now = news };
	   if
	   :: now != seen ->
#ifndef TELLER_CLEARS
		atomic { news_wanted = false };
#endif
		atomic { seen = now; now = 0 }
	   :: else ->
		atomic {
			if
			:: news == now -> asleep = true
			:: else
			fi;
			now = 0
		}
end:		if
		:: !asleep
#if !defined(PROMPT) && !defined(NO_SLICE)
		:: atomic { asleep -> asleep = false }
#endif
		fi
	   fi
	od
}

proctype killer()
{
	byte victim = 1;

	do
	:: atomic {
		deaths < DEATHS && victim <= TELLERS ->
		if
		:: dead[victim] = true; deaths++
		:: true
		fi;
		victim++
	   }
	:: atomic { deaths == DEATHS || victim > TELLERS -> break }
	od
}

init
{
	byte number = 1;

	atomic {
		do
		:: number <= TELLERS -> run teller(number); number++
		:: else -> break
		od;
		run broker();
		run killer()
	}
	/* At a standstill the broker has seen all that was told. */
	timeout -> assert(seen == news)
}

#ifdef LIVENESS
ltl news_arrive { <> [] (seen == news) }
#endif

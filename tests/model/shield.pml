/*
 * Shields: lib/protocol/shield.c. Processes begin and end a shield by one of the holders, each of two
 * words; a consumer takes the pending request when no word holds. The shield of process LIMITED has
 * a limit, which runs out at some time. Any process may be killed between any two steps; so
 * may be, for KILLS, another process that begins the shield for it, as `invctl shield --begin`
 * does. What begins it may also outlive it.
 *
 * Nothing is delivered while a living process is inside that was inside when the consumer began
 * to read, and whose limit has not run out; at a standstill no shield is left, and the request is
 * delivered, unless what began one without a limit was killed and its process lives.
 *
 * Broken variants, each of which must fail:
 *   TAKE_STORES  a word is taken by a store, not by a swap
 *   DEAD_HOLDS   the word of a dead process holds
 *   HALF_HOLDS   a word holds while the second one is of another
 *   MORE_STORES  the second word is stored without reading the first again
 */
#ifndef PROCESSES
#define PROCESSES 2
#endif
#ifndef WORDS
#define WORDS 2
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef KILLS
#define KILLS 0
#endif
#define NOBODY 0
#define LIMITED 1

byte word[WORDS]; /* whose it is; 0: free */
byte more[WORDS]; /* who wrote it: its check and its limit */
bool ran_out;
bool delivered;

bool dead[PROCESSES + 1];
bool killed[PROCESSES + 1]; /* what begins it for the process */
bool inside[PROCESSES + 1];
byte deaths, kills;

inline take_word()
{
	i = 0;
	taken = false;
	do
	:: i == WORDS || taken -> break
	:: else ->
		atomic { seen = word[i] };
		if
		:: seen != NOBODY && !dead[seen] -> i++
		:: else ->
#ifdef TAKE_STORES
			atomic { word[i] = me; taken = true }
#else
			atomic {
				if
				:: word[i] == seen -> word[i] = me; taken = true
				:: else -> i++
				fi
			}
#endif
		fi
	od
}

inline complete_word()
{
	written = false;
	do
	:: written -> break
	:: else ->
#ifdef MORE_STORES
		atomic { more[i] = me; written = true }
#else
		atomic { seen = more[i] };
		if
		:: atomic { word[i] != me -> written = true }
		:: else -> atomic {
			if
			:: more[i] == seen -> more[i] = me; written = true
			:: else
			fi
		   }
		fi
#endif
	od
}

inline end_shield()
{
	i = 0;
	do
	:: i == WORDS -> break
	:: else ->
		atomic {
			if
			:: word[i] == me -> word[i] = NOBODY; i = WORDS
			:: else -> i++
			fi
		}
	od
}

proctype process(byte me)
{
	byte i, seen;
	bool taken, written;

	{
		atomic { !dead[me] -> skip };
		take_word();
		if
		:: taken ->
			complete_word();
			atomic { !dead[me] -> inside[me] = true };
			atomic { !dead[me] -> inside[me] = false };
			if
			:: dead[me] -> skip
			:: else -> end_shield()
			fi
		:: else
		fi
	} unless { killed[me] || (dead[me] && KILLS == 0) }
}

#ifdef DEAD_HOLDS
#define LIVES(i) (word[i] != NOBODY)
#else
#define LIVES(i) (word[i] != NOBODY && !dead[word[i]])
#endif
#ifdef HALF_HOLDS
#define COMPLETE(i) true
#else
#define COMPLETE(i) (more[i] == word[i])
#endif
#define HOLDS(i) (LIVES(i) && COMPLETE(i) && !(more[i] == LIMITED && ran_out))
#define NOBODY_HOLDS (!HOLDS(0) && !HOLDS(WORDS - 1))
#define MUST_HOLD(p) (inside[p] && !dead[p] && !(p == LIMITED && ran_out))

proctype consumer()
{
	byte i;
	bool held, was_inside[3];

	do
	:: delivered -> break
	:: else ->
		atomic { i = 0; held = false; was_inside[1] = inside[1]; was_inside[2] = inside[2] };
		do
		:: i == WORDS -> break
		:: else -> atomic { held = held || HOLDS(i); i++ }
		od;
		if
		:: !held -> atomic {
			delivered = true;
			assert(!(was_inside[1] && MUST_HOLD(1)));
			assert(!(was_inside[2] && MUST_HOLD(2)))
		   }
		/* it reads again when a shield has ended, a limit run out, or a process died */
		:: else ->
end_held:		atomic { NOBODY_HOLDS }
		fi
	od
}

proctype clock()
{
	atomic { ran_out = true }
}

proctype killer()
{
	byte victim = 1;

	do
	:: atomic {
		victim <= PROCESSES ->
		if
		:: deaths < DEATHS -> dead[victim] = true; deaths++
		:: true
		fi
	   };
	   atomic {
		if
		:: kills < KILLS && !inside[victim] -> killed[victim] = true; kills++
		:: true
		fi;
		victim++
	   }
	:: atomic { victim > PROCESSES -> break }
	od
}

init
{
	byte number = 1;

	atomic {
		do
		:: number <= PROCESSES -> run process(number); number++
		:: else -> break
		od;
		run consumer();
		run clock();
		run killer()
	}
	timeout -> assert(delivered || (killed[2] && !dead[2]))
}

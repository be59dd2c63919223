/*
 * Shields: lib/protocol/shield.c. Processes begin and end a shield by one of the holder words; a
 * consumer takes the pending request when nobody holds. Any process may be killed between
 * any two steps.
 *
 * Nothing is delivered while a living process is inside that was inside when the consumer began
 * to look; at a standstill nobody's shield is left, and the request is delivered.
 *
 * Broken variants, each of which must fail:
 *   TAKE_STORES  a word is taken by a store, not by a swap
 *   DEAD_HOLDS   the word of a dead process holds
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
#define NOBODY 0

byte word[WORDS]; /* whose it is; 0: free */
bool delivered;

bool dead[PROCESSES + 1];
bool inside[PROCESSES + 1];
byte deaths;

inline take_word()
{
	i = 0;
	taken = false;
	do
	:: i == WORDS || taken -> break
	:: else ->
		atomic { seen = word[i] };
		if
		:: seen != NOBODY && !dead[seen]
		:: else ->
#ifdef TAKE_STORES
			atomic { word[i] = me; taken = true }
#else
			atomic {
				if
				:: word[i] == seen -> word[i] = me; taken = true
				:: else
				fi
			}
#endif
		fi;
		i++
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
	bool taken;

	{
		take_word();
		if
		:: taken ->
			atomic { inside[me] = true };
			atomic { inside[me] = false };
			end_shield()
		:: else
		fi
	} unless { dead[me] }
}

#ifdef DEAD_HOLDS
#define HOLDS(w) (w != NOBODY)
#else
#define HOLDS(w) (w != NOBODY && !dead[w])
#endif
#define NOBODY_HOLDS (!HOLDS(word[0]) && !HOLDS(word[WORDS - 1]))

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
		:: else -> atomic { held = held || HOLDS(word[i]); i++ }
		od;
		if
		:: !held -> atomic {
			delivered = true;
			assert(!(was_inside[1] && inside[1] && !dead[1]));
			assert(!(was_inside[2] && inside[2] && !dead[2]))
		   }
		/* it looks again when a shield has ended, or a process has died */
		:: else -> atomic { NOBODY_HOLDS }
		fi
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
		:: number <= PROCESSES -> run process(number); number++
		:: else -> break
		od;
		run consumer();
		run killer()
	}
	timeout -> assert(delivered)
}

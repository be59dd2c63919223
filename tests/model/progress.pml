/*
 * Progress: lib/protocol/progress.c and its reading in lib/api/info.c. Writers take a word that is a lock
 * of a kind that can be broken; any of them may be killed between any two steps.
 *
 * A reader never takes parts of two writers' progress for one, unless a writer that lives was
 * overtaken while it wrote. At a standstill what stands there is whole, unless such a writer
 * was killed, or has tried TRIES times.
 *
 * Broken variants, each of which must fail:
 *   IN_PLACE    the word is not made odd before the writing
 *   READ_ONCE   the reader does not look at the word again
 *   NO_SECOND   who was overtaken does not write a second time
 */
#ifndef WRITERS
#define WRITERS 2
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef TRIES
#define TRIES 2
#endif

byte word; /* odd: somebody writes */
byte percent, text; /* both are the writer's number; 0: none */

bool dead[WRITERS + 1], writing[WRITERS + 1];
byte deaths;
bool overtaken, gave_up;

proctype writer(byte me)
{
	byte seen, odd, tries;
	bool done;

	{
		do
		:: done -> break
		:: !done && tries == TRIES -> gave_up = true; break
		:: !done && tries < TRIES ->
			atomic { seen = word };
			odd = (seen + 1) | 1;
#ifndef IN_PLACE
			atomic {
				if
				:: word == seen ->
					word = odd;
					writing[me] = true;
					overtaken = overtaken || writing[3 - me]
				:: else -> odd = 0
				fi
			};
#endif
			if
			:: odd != 0 ->
				atomic { percent = me };
				atomic { text = me };
				atomic {
					writing[me] = false;
					if
#ifdef IN_PLACE
					:: word == seen -> word = word + 2; done = true
#else
					:: word == odd -> word = odd + 1; done = true
#endif
#ifdef NO_SECOND
					:: else -> done = true
#else
					:: else -> tries++
#endif
					fi
				}
			:: else
			fi
		od
	} unless { dead[me] }
}

proctype reader()
{
	byte seen, seen_percent, seen_text, looks;

	do
	:: looks == 2 -> break
	:: looks < 2 ->
	   atomic { seen = word };
	   atomic { seen_percent = percent };
	   atomic { seen_text = text };
	   atomic {
		if
#ifdef READ_ONCE
		:: !(seen & 1) && !overtaken ->
#else
		:: !(seen & 1) && seen == word && !overtaken ->
#endif
			assert(seen_percent == seen_text)
		:: else
		fi;
		seen = 0;
		seen_percent = 0;
		seen_text = 0;
		looks++
	   }
	od
}

proctype killer()
{
	byte victim = 1;

	do
	:: atomic {
		deaths < DEATHS && victim <= WRITERS ->
		if
		:: dead[victim] = true;
			deaths++;
			writing[victim] = false
		:: true
		fi;
		victim++
	   }
	:: atomic { deaths == DEATHS || victim > WRITERS -> break }
	od
}

init
{
	byte number = 1;

	atomic {
		do
		:: number <= WRITERS -> run writer(number); number++
		:: else -> break
		od;
		run reader();
		run killer()
	}
	timeout -> assert(percent == text || (overtaken && deaths > 0) || gave_up || (word & 1))
}

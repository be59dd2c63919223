/*
 * The hold: lib/protocol/hold.c, and how registering honours it (lib/protocol/register.c).
 *
 * Holders put a hold up, each with its own note, and then scan the table; a releaser takes it
 * down once; a registrar registers one slot; a reader reads the note. Any holder may be killed
 * between any two accesses.
 *
 * While nothing is released: a registrar that a scan has not seen does not start. A note is
 * read whole, or as none, unless its writer was overtaken by another put.
 *
 * Broken variants, each of which must fail:
 *   NO_SECOND_READ   a registrar reads the hold only before it registers
 *   NO_WRITING       a put does not mark that it writes
 *   HELD_FIRST       a put sets held before the note is written
 */
#ifndef HOLDERS
#define HOLDERS 1
#endif
#ifndef RELEASES
#define RELEASES 0
#endif
#ifndef DEATHS
#define DEATHS 0
#endif

byte sequence; /* the hold's word */
bool held, writing;
byte note[2]; /* the record: both are the holder's number */

bool live;    /* the registrar's slot */
bool started; /* it was not refused */
bool missed;  /* a scan after a put did not see it */
bool dead[HOLDERS + 1];
byte deaths, released, writers_at_work;
bool overtaken;

proctype holder(byte me)
{
	byte own;
	bool put;

	{
		atomic {
			overtaken = overtaken || writers_at_work > 0;
			sequence++;
			own = sequence;
			writers_at_work++;
#ifndef NO_WRITING
			writing = true;
#endif
#ifdef HELD_FIRST
			writing = false;
			held = true
#endif
		};
		atomic { note[0] = me };
		atomic { note[1] = me; writers_at_work-- };
		atomic {
			if
			:: sequence == own -> writing = false; held = true; put = true
			:: else
			fi
		};
		/* overtaken: another put, or a release, counts */
		if
		:: put && !live -> missed = true
		:: else
		fi
	} unless { dead[me] }
}

proctype releaser()
{
	atomic {
		RELEASES && held ->
		sequence++;
		held = false;
		writing = false;
		released++
	}
}

proctype registrar()
{
	if
	:: atomic { held -> skip }
	:: atomic { !held -> skip };
		live = true;
#ifdef NO_SECOND_READ
		started = true
#else
		if
		:: atomic { held -> live = false }
		:: atomic { !held -> started = true }
		fi
#endif
	fi
}

/* hold_read: twice the word, and the note between. */
proctype reader()
{
	byte seen, first, second;

	atomic { held && !writing -> seen = sequence };
	first = note[0];
	second = note[1];
	atomic {
		if
		:: held && !writing && sequence == seen && !overtaken ->
			assert(first == second && first != 0)
		:: else
		fi
	}
}

proctype killer()
{
	byte victim = 1;

	do
	:: atomic {
		deaths < DEATHS && victim <= HOLDERS ->
		if
		:: dead[victim] = true; deaths++
		:: true
		fi;
		victim++
	   }
	:: atomic { deaths == DEATHS || victim > HOLDERS -> break }
	od
}

init
{
	byte number = 1;

	atomic {
		do
		:: number <= HOLDERS -> run holder(number); number++
		:: else -> break
		od;
		run releaser();
		run registrar();
		run reader();
		run killer()
	}
	timeout -> assert(released || !missed || !started)
}

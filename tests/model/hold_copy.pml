/*
 * The broker's copy of the hold: lib/protocol/hold_copy.c.
 *
 * An operator puts a hold up and releases it in turns, in the table, and then waits until the
 * broker has stored that, or goes on without. The broker reads the hold's word, writes the copy (a
 * rename: whole or not at all) and stores the word that it has read. It may be killed between any two
 * accesses; the next one finds the table. The machine may stop at any time: then the copy is what the
 * next table begins with.
 *
 * What an operator has seen stored is in the copy until the next change; no broker changes the hold
 * of a live table; and when all rest, the copy shows the hold.
 *
 * Broken variants, each of which must fail:
 *   STORED_FIRST   the broker says that it has stored before it writes the copy
 *   STORED_NOW     it stores the word as it is by then, and not the one that it has read
 *   COPY_WINS      a broker takes the copy into the live table that it finds
 */
#ifndef CHANGES
#define CHANGES 3
#endif
#ifndef DEATHS
#define DEATHS 0
#endif

byte word, stored; /* the hold's sequence number; the one that the copy shows */
bool held, copy;
bool wanted; /* by the operator */
bool seen;   /* the operator has seen that this is stored */
byte changes, deaths;
bool killed;

proctype operator()
{
	do
	:: atomic {
		changes < CHANGES ->
		changes++;
		seen = false;
		wanted = !wanted;
		word++;
		held = wanted
	   };
		if
		:: atomic { stored == word -> seen = true }
		:: true
		fi
	:: changes == CHANGES -> break
	od
}

proctype broker()
{
	byte read;
	bool stands;

again:
	{
		do
		:: atomic { stored != word -> read = word; stands = held };
#ifdef STORED_FIRST
			stored = read;
			copy = stands
#else
			copy = stands;
#ifdef STORED_NOW
			stored = word
#else
			stored = read
#endif
#endif
		od
	} unless { atomic { killed -> killed = false } };
#ifdef COPY_WINS
	held = copy;
#endif
	goto again
}

/* At any time. */
proctype machine()
{
	assert((!seen || copy == wanted) && held == wanted)
}

proctype killer()
{
	do
	:: atomic { deaths < DEATHS && !killed -> deaths++; killed = true }
	:: break
	od
}

init
{
	atomic {
		run operator();
		run broker();
		run machine();
		run killer()
	}
	timeout -> assert(killed || (stored == word && copy == wanted && held == wanted))
}

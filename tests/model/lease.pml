/*
 * Leases of owners: lib/table/owner.c, lib/table/lease.c. One entry and one slot; owners of another
 * PID namespace, one after the other or at once, and sweepers, who can judge them by the
 * lease alone. Any of the owners may be killed between any two steps; the kernel then frees
 * its lease.
 *
 * The living lose neither entry nor slot; no two have the entry; at a standstill the entry is
 * free or its owner lives.
 *
 * Broken variants, each of which must fail:
 *   LEASE_LAST       the lease is taken when the entry is ACTIVE
 *   GIVE_BACK_FIRST  who leaves gives the lease back before the entry is free
 *   NO_OWNER_STILL   a sweeper does not look at the entry again before it sweeps the slot
 */
#ifndef OWNERS
#define OWNERS 2
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#define NOBODY 0

mtype = { FREE, CLAIMED, ACTIVE };

mtype state = FREE; /* of the entry, with its generation */
byte generation;
byte lease = NOBODY;    /* the kernel's: who holds it */
bool slot_live;         /* it names the entry */
byte slot_generation;

byte whose = NOBODY, slot_whose = NOBODY; /* for the assertions */
bool dead[OWNERS + 1];
byte deaths;

/* A dead holder holds nothing. */
#define HELD (lease != NOBODY && !dead[lease])

#ifdef LEASE_LAST
#define LET_GO skip
#else
#define LET_GO lease = NOBODY
#endif

proctype owner(byte me)
{
	byte mine, slot_mine;
	bool done;

	{
		do
		:: done -> break
		:: !done ->
#ifndef LEASE_LAST
			atomic { !HELD -> lease = me };
#endif
			atomic {
				if
				:: state == FREE -> state = CLAIMED; mine = generation; whose = me; done = true
				:: else -> LET_GO
				fi
			}
		od;
		atomic { /* a sweep may have freed it */
			if
			:: state == CLAIMED && generation == mine -> state = ACTIVE
			:: else -> assert(false)
			fi
		};
#ifdef LEASE_LAST
		atomic { !HELD -> lease = me };
#endif
		atomic { slot_live = true; slot_generation++; slot_mine = slot_generation; slot_whose = me };
		/* it ends what it owns, and leaves */
		atomic {
			assert(slot_live && slot_generation == slot_mine);
			assert(state == ACTIVE && generation == mine);
			slot_live = false;
			slot_whose = NOBODY
		};
#ifdef GIVE_BACK_FIRST
		atomic { lease = NOBODY };
#endif
		atomic {
			assert(state == ACTIVE && generation == mine);
			state = FREE;
			generation++;
			whose = NOBODY
		};
#ifndef GIVE_BACK_FIRST
		atomic { lease = NOBODY }
#endif
	} unless { dead[me] }
}

#ifdef NO_OWNER_STILL
#define OWNER_STILL true
#else
#define OWNER_STILL (state != FREE && generation == seen)
#endif

/* Word of the entry, then its lease; word of the slot, then the entry once more. */
proctype sweeper()
{
	byte seen, slot_seen;
	bool free, slot_was_live;

	do
	:: atomic { state != FREE && !HELD -> seen = generation };
	   atomic { free = !HELD };
	   if
	   :: free ->
		atomic { slot_was_live = slot_live; slot_seen = slot_generation };
		if
		:: slot_was_live && OWNER_STILL ->
			atomic {
				if
				:: slot_live && slot_generation == slot_seen ->
					assert(dead[slot_whose]);
					slot_live = false
				:: else
				fi
			}
		:: else
		fi;
		atomic {
			if
			:: !slot_live && state != FREE && generation == seen ->
				assert(dead[whose]);
				state = FREE;
				generation++
			:: else
			fi
		}
	   :: else
	   fi;
	   atomic { free = false; slot_was_live = false; seen = 0; slot_seen = 0 }
	od
}

proctype killer()
{
	byte victim = 1;

	do
	:: atomic {
		deaths < DEATHS && victim <= OWNERS ->
		if
		:: dead[victim] = true; deaths++
		:: true
		fi;
		victim++
	   }
	:: atomic { deaths == DEATHS || victim > OWNERS -> break }
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
		run sweeper();
		run sweeper();
		run killer()
	}
	timeout ->
	assert(state == FREE && !slot_live)
}

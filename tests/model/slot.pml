/*
 * The life of a slot: lib/table/slot.c, lib/protocol/sweep.c and lib/table/owner.c, with their names.
 *
 * Registrars register the same UUID, each in any free slot, end it (LIVE -> DONE or
 * LIVE -> FREE) and leave. Sweepers sweep. Any of them, but for the first sweeper,
 * may be killed between any two accesses to shared memory. Each access is a step;
 * a process that isn't scheduled for long is a stalled one.
 *
 * Configured by REGISTRARS, SLOTS, OWNERS, SWEEPERS, LOOKERS and DEATHS.
 *
 * With LEVELS, each slot is a level of its own and at first only the first one is in
 * use (lib/table/index.h): who finds no room counts the levels up, and looks again.
 *
 * Broken variants, each of which must fail:
 *   OWNER_AFTER_CLAIM    the claim is anonymous; its owner is stored by a second step
 *   NO_GENERATION        a claim does not count the generation up
 *   SINGLE_TRY           a sweep tries each slot once, and forgets those that it missed
 *   FREE_OWNER_FIRST     the owner's entry is freed before its slots are swept
 *   NO_OWNER_STILL       a sweep does not look at the entry again
 *   SETTLE_BEFORE        the rivals are looked for before PUBLISHING, not after
 *   LEVELS_BEFORE        the levels to look through for rivals are read before PUBLISHING
 *   NO_ABORT             of two that publish, the lower one does not abort the higher
 *   SWEEP_STORES         a sweep stores the slot's new word instead of swapping it
 */
#ifndef REGISTRARS
#define REGISTRARS 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef OWNERS
#define OWNERS 2
#endif
#ifndef SWEEPERS
#define SWEEPERS 1
#endif
#ifndef LOOKERS
#define LOOKERS 0
#endif
#ifndef DEATHS
#define DEATHS 1
#endif

#ifdef SINGLE_TRY
#define TRIES 1
#else
#define TRIES 3
#endif

/* control word: | generation | owner | state | */
#define FREE 0
#define CLAIMED 1
#define PUBLISHING 2
#define LIVE 3
#define ABORTED 4
#define DONE 5
#define CONTROL_WORD(generation, owner, state) ((generation) << 5 | (owner) << 3 | (state))
#define CONTROL_STATE(word) ((word) & 7)
#define CONTROL_OWNER(word) ((word) >> 3 & 3)
#define CONTROL_GENERATION(word) ((word) >> 5)
#define WITH_STATE(word, state) (((word) & ~7) | (state))
#define VISIBLE(word) (CONTROL_STATE(word) == LIVE || CONTROL_STATE(word) == DONE)
#define OWNED(word) (CONTROL_STATE(word) != FREE && CONTROL_STATE(word) != DONE)

/* owner entry: | generation | pid | state | */
#define OWNER_FREE 0
#define OWNER_CLAIMED 1
#define OWNER_ACTIVE 2
#define OWNER_WORD(generation, pid, state) ((generation) << 5 | (pid) << 2 | (state))
#define OWNER_STATE(word) ((word) & 3)
#define OWNER_PID(word) ((word) >> 2 & 7)
#define OWNER_GENERATION(word) ((word) >> 5)

#if defined(LEVELS) || defined(LEVELS_BEFORE)
#define FIRST_LEVELS 1
#else
#define FIRST_LEVELS SLOTS
#endif

#define PROCESSES (REGISTRARS + SWEEPERS + LOOKERS)

byte control[SLOTS];
byte levels = FIRST_LEVELS; /* in use */
byte owners[OWNERS + 1]; /* entry 0 is nobody */
byte payload[SLOTS];     /* the generation for which id and payload were written */

/* What no process can see, for the assertions. Pids count from 1. */
byte tenant[SLOTS]; /* who claimed it */
bool dead[PROCESSES + 1];
bool ended[PROCESSES + 1];
byte deaths, wins;

inline swap(index, seen, next, succeeded)
{
	succeeded = control[index] == seen;
	if
	:: succeeded -> control[index] = next
	:: else
	fi
}

/* owner_enter: any free entry; where there is none, it is tried until there is. */
inline owner_enter()
{
	atomic {
		if
		:: OWNER_STATE(owners[1]) == OWNER_FREE -> entry = 1
#if OWNERS > 1
		:: OWNER_STATE(owners[2]) == OWNER_FREE -> entry = 2
#endif
#if OWNERS > 2
		:: OWNER_STATE(owners[3]) == OWNER_FREE -> entry = 3
#endif
		fi;
		seen = owners[entry]
	}
	atomic {
		owner_word = OWNER_WORD(OWNER_GENERATION(seen), me, OWNER_CLAIMED);
		if
		:: owners[entry] == seen -> owners[entry] = owner_word; seen = 0
		:: else -> seen = 0; owner_word = 0; goto enter
		fi
	}
	atomic {
		assert(owners[entry] == owner_word);
		owner_word = OWNER_WORD(OWNER_GENERATION(owner_word), me, OWNER_ACTIVE);
		owners[entry] = owner_word
	}
}

inline owner_free(index, word)
{
	atomic {
		if
		:: owners[index] == word ->
			assert(OWNER_PID(word) == me || dead[OWNER_PID(word)]);
#ifndef FREE_OWNER_FIRST
			no_slot_names(index);
#endif
			owners[index] = OWNER_WORD(OWNER_GENERATION(word) + 1, 0, OWNER_FREE)
		:: else
		fi
	}
}

inline no_slot_names(index)
{
	ghost = 0;
	do
	:: ghost < SLOTS ->
		assert(!OWNED(control[ghost]) || CONTROL_OWNER(control[ghost]) != index);
		ghost++
	:: else -> ghost = 0; break
	od
}

/* Of all registrations of one UUID at most one is live or kept. */
inline one_is_visible()
{
	ghost = 0;
	visible = 0;
	do
	:: ghost < SLOTS ->
		visible = visible + VISIBLE(control[ghost]);
		ghost++
	:: else -> ghost = 0; break
	od;
	assert(visible <= 1);
	visible = 0
}

inline settle()
{
#ifdef LEVELS_BEFORE
	i = 0;
#else
	atomic { i = 0; extent = levels };
#endif
	do
	:: atomic { i >= extent -> break }
	:: atomic { i < extent && i == index -> i++ }
	:: atomic {
		i < extent && i != index ->
		seen = control[i];
		if
		:: CONTROL_STATE(seen) != PUBLISHING && !VISIBLE(seen) -> i++; seen = 0
		:: else -> skip
		fi
	   }
	   atomic {
		if
		:: seen == 0
		:: seen != 0 && control[i] != seen -> seen = 0 /* it moved on: look again */
		:: seen != 0 && control[i] == seen &&
		   (CONTROL_STATE(seen) != PUBLISHING || i < index) -> exists = true; seen = 0; break
		:: seen != 0 && control[i] == seen && CONTROL_STATE(seen) == PUBLISHING && i > index
		fi
	   }
	   atomic {
		if
		:: seen == 0
		:: else ->
#ifdef NO_ABORT
			succeeded = true;
#else
			next = WITH_STATE(seen, ABORTED);
			swap(i, seen, next, succeeded);
			next = 0;
#endif
			i = i + succeeded;
			seen = 0
		fi
	   }
	od;
	i = 0
}

proctype registrar(byte me)
{
	byte entry, owner_word, seen, next, index, word, i, ghost, visible, extent;
	bool succeeded, exists, chosen;

	{
		skip;
enter:
		owner_enter();
claim:
		/* survey: any free slot. In one step: what it finds may be stale by the
		 * next one all the same. */
		atomic {
			i = 0;
			extent = levels;
			do
			:: i >= extent -> break
			:: i < extent ->
				if
				:: VISIBLE(control[i]) -> exists = true; i = SLOTS
				:: CONTROL_STATE(control[i]) == FREE -> chosen = true; index = i; word = control[i]; i++
				:: !VISIBLE(control[i]) && (CONTROL_STATE(control[i]) != FREE || chosen) -> i++
				fi
			od;
			i = 0;
			if
			:: !exists && !chosen && extent < SLOTS -> goto raise
			:: exists || (!chosen && extent == SLOTS) -> chosen = false; goto leave
			:: else -> chosen = false
			fi;
			goto claim_it
		}
raise:
		atomic {
			if
			:: levels < extent + 1 -> levels = extent + 1
			:: else
			fi;
			goto claim
		}
claim_it:
		atomic {
#ifdef NO_GENERATION
			i = CONTROL_GENERATION(word);
#else
			i = CONTROL_GENERATION(word) + 1;
#endif
#ifdef OWNER_AFTER_CLAIM
			next = CONTROL_WORD(i, 0, CLAIMED);
#else
			next = CONTROL_WORD(i, entry, CLAIMED);
#endif
			i = 0;
			swap(index, word, next, succeeded);
			if
			:: succeeded -> tenant[index] = me; word = next; next = 0
			:: else -> word = 0; next = 0; goto claim
			fi
		}
#ifdef OWNER_AFTER_CLAIM
		atomic {
			word = CONTROL_WORD(CONTROL_GENERATION(word), entry, CLAIMED);
			control[index] = word
		}
#endif
		/* fill: the slot must still be one's own */
		atomic {
			assert(control[index] == word && tenant[index] == me);
			payload[index] = CONTROL_GENERATION(word)
		}
#ifdef SETTLE_BEFORE
		settle();
#endif
		/* CLAIMED -> PUBLISHING */
		atomic {
			next = WITH_STATE(word, PUBLISHING);
			swap(index, word, next, succeeded);
			assert(succeeded);
			word = next;
			next = 0
		}
#ifndef SETTLE_BEFORE
		settle();
#endif
		/* PUBLISHING -> LIVE */
		atomic {
			succeeded = false;
			if
			:: exists
			:: else ->
				next = WITH_STATE(word, LIVE);
				swap(index, word, next, succeeded);
				if
				:: succeeded ->
					word = next;
					next = 0;
					wins++;
					one_is_visible();
					goto live
				:: else
				fi
			fi
		}
		/* withdraw */
		atomic {
			next = CONTROL_WORD(CONTROL_GENERATION(word), 0, FREE);
			swap(index, word, next, succeeded);
			if
			:: succeeded -> tenant[index] = 0; goto leave
			:: else -> word = WITH_STATE(word, ABORTED)
			fi
		}
		atomic {
			swap(index, word, next, succeeded);
			assert(succeeded);
			tenant[index] = 0;
			goto leave
		}
live:
		/* The living lose nothing: the end is the owner's. */
		atomic {
			assert(tenant[index] == me && payload[index] == CONTROL_GENERATION(word));
			assert(control[index] == word);
			tenant[index] = 0;
			if
			:: control[index] = CONTROL_WORD(CONTROL_GENERATION(word), 0, DONE)
			:: control[index] = CONTROL_WORD(CONTROL_GENERATION(word), 0, FREE)
			fi
		}
leave:
		atomic { word = 0; next = 0; index = 0; extent = 0; exists = false; succeeded = false };
		owner_free(entry, owner_word);
		atomic { entry = 0; owner_word = 0; ended[me] = true }
	} unless { dead[me] }
}

/* sweep_one: what was not LIVE is withdrawn; what was is finished or released. The
 * swap must only ever hit a word whose tenant is dead. */
inline sweep_one(slot, word, owner_index, owner_word)
{
	settled = false;
#ifndef NO_OWNER_STILL
	if
	:: atomic { owners[owner_index] != owner_word -> settled = true }
	:: atomic { owners[owner_index] == owner_word -> skip }
	fi;
#endif
	atomic {
		if
		:: settled
		:: else ->
			if
			:: CONTROL_STATE(word) != LIVE -> swept_state = FREE
			:: else
			fi;
			swept = CONTROL_WORD(CONTROL_GENERATION(word), 0, swept_state);
#ifdef SWEEP_STORES
			control[slot] = swept;
			settled = true;
#else
			swap(slot, word, swept, settled);
#endif
			swept = 0;
			if
			:: settled -> assert(dead[tenant[slot]]); tenant[slot] = 0
			:: else
			fi
		fi
	}
}

/* One slot and whoever owns it, until it is settled. */
inline sweep_judged_slot()
{
	do
	:: atomic {
		word = control[slot];
		owner_index = CONTROL_OWNER(word);
		if
		:: !OWNED(word) || judged[owner_index] == 0 || tries == TRIES -> break
		:: else -> tries++; if :: swept_state = DONE :: swept_state = FREE fi
		fi;
		owner_word = judged[owner_index]
	   };
	   sweep_one(slot, word, owner_index, owner_word);
	   atomic {
		swept_state = 0;
		if
		:: !settled && control[slot] == word -> left[owner_index] = true; break
		:: else
		fi
	   }
	od;
	atomic { word = 0; owner_index = 0; owner_word = 0; tries = 0; settled = false }
}

inline free_judged()
{
	atomic { owner_index = 1 };
	do
	:: atomic { owner_index > OWNERS -> owner_index = 0; break }
	:: atomic { owner_index <= OWNERS -> owner_word = judged[owner_index] };
		if
		:: owner_word != 0 && !left[owner_index] -> owner_free(owner_index, owner_word)
		:: else
		fi;
		atomic { owner_word = 0; owner_index++ }
	od
}

/* Judge all owners, go through the slots once, then free the entries of the dead. */
inline sweep_dead()
{
	atomic { owner_index = 1 };
	do
	:: atomic { owner_index > OWNERS -> owner_index = 0; break }
	:: atomic {
		owner_index <= OWNERS ->
		owner_word = owners[owner_index];
		if
		:: OWNER_STATE(owner_word) != OWNER_FREE && dead[OWNER_PID(owner_word)] ->
			judged[owner_index] = owner_word
		:: else
		fi;
		owner_word = 0;
		owner_index++
	   }
	od;
#ifdef FREE_OWNER_FIRST
	free_judged();
#endif
	do
	:: atomic { slot >= SLOTS -> slot = 0; break }
	:: atomic { slot < SLOTS }; sweep_judged_slot(); atomic { slot++ }
	od;
#ifndef FREE_OWNER_FIRST
	free_judged();
#endif
	atomic {
		owner_index = 1;
		do
		:: owner_index <= OWNERS -> judged[owner_index] = 0; left[owner_index] = false; owner_index++
		:: else -> owner_index = 0; break
		od
	}
}

#if REGISTRARS == 3
#define ALL_ENDED ((ended[1] || dead[1]) && (ended[2] || dead[2]) && (ended[3] || dead[3]))
#elif REGISTRARS == 2
#define ALL_ENDED ((ended[1] || dead[1]) && (ended[2] || dead[2]))
#endif
/* There is something to sweep: a round that finds nobody dead changes nothing. */
#define DEAD_OWNER(index) (OWNER_STATE(owners[index]) != OWNER_FREE && dead[OWNER_PID(owners[index])])
#if OWNERS > 2
#define SOMEBODY_DIED (DEAD_OWNER(1) || DEAD_OWNER(2) || DEAD_OWNER(3))
#elif OWNERS > 1
#define SOMEBODY_DIED (DEAD_OWNER(1) || DEAD_OWNER(2))
#else
#define SOMEBODY_DIED DEAD_OWNER(1)
#endif

inline everything_is_settled()
{
	i = 0;
	do
	:: i < SLOTS -> assert(CONTROL_STATE(control[i]) == FREE || CONTROL_STATE(control[i]) == DONE); i++
	:: else -> break
	od;
	i = 1;
	do
	:: i <= OWNERS -> assert(OWNER_STATE(owners[i]) == OWNER_FREE); i++
	:: else -> break
	od;
	i = 0;
	/* Where nobody died, a registration of the UUID succeeded. */
	assert(deaths > 0 || wins > 0)
}

/* The first sweeper lives: it sweeps whenever somebody has died, until all is over
 * and nothing of the dead is left. Others sweep once, and may be killed. */
proctype sweeper(byte me)
{
	byte owner_index, owner_word, slot, tries, word, i, ghost, swept, swept_state;
	byte judged[OWNERS + 1];
	bool left[OWNERS + 1], settled;

	{
		do
		:: SOMEBODY_DIED ->
			sweep_dead();
			if
			:: me != REGISTRARS + 1 -> break
			:: else
			fi
		:: ALL_ENDED && !SOMEBODY_DIED -> break
		od;
		atomic {
			ended[me] = true;
			if
			:: me == REGISTRARS + 1 -> everything_is_settled()
			:: else
			fi
		}
	} unless { dead[me] }
}

/* sweep_slot: a waiter or a registrar looks after the one slot that it minds. */
proctype looker(byte me)
{
	byte owner_index, owner_word, word, slot, ghost, swept, swept_state;
	bool settled;

	{
		do
		:: SOMEBODY_DIED ->
			atomic {
				if
				:: slot = 0
				:: SLOTS > 1 -> slot = SLOTS - 1
				fi;
				word = control[slot]
			};
			atomic {
				owner_index = CONTROL_OWNER(word);
				owner_word = owners[owner_index];
				if
				:: !OWNED(word) || (OWNER_STATE(owner_word) != OWNER_FREE &&
				   !dead[OWNER_PID(owner_word)]) -> word = 0
				:: else -> if :: swept_state = DONE :: swept_state = FREE fi
				fi
			};
			if
			:: word == 0
			:: else -> sweep_one(slot, word, owner_index, owner_word)
			fi;
			atomic { word = 0; owner_index = 0; owner_word = 0; slot = 0; swept_state = 0; settled = false };
			break
		:: ALL_ENDED && !SOMEBODY_DIED -> break
		od;
		ended[me] = true
	} unless { dead[me] }
}

/* SIGKILL, at any moment; of anybody but the first sweeper. */
proctype killer()
{
	byte victim;

	do
	:: atomic {
		deaths < DEATHS ->
		if
		:: victim = 1
		:: victim = 2
		:: PROCESSES > 3 -> victim = PROCESSES
		fi;
		if
		:: !dead[victim] && !ended[victim] -> dead[victim] = true; deaths++
		:: else
		fi;
		victim = 0
	   }
	:: ALL_ENDED -> break
	od
}

init
{
	byte number = 1;

	atomic {
		do
		:: number <= REGISTRARS -> run registrar(number); number++
		:: number > REGISTRARS && number <= REGISTRARS + SWEEPERS -> run sweeper(number); number++
		:: number > REGISTRARS + SWEEPERS && number <= PROCESSES -> run looker(number); number++
		:: number > PROCESSES -> break
		od;
		run killer()
	}
}

#ifdef LIVENESS
/* Whoever lives comes to an end, and then nothing of the dead is left: the first
 * sweeper ends only when that is so. */
ltl comes_to_an_end { <> ended[REGISTRARS + 1] }
#endif

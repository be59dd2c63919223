/*
 * The cancel event: lib/table/event_word.c, the calls on it in lib/api/event.c, the end in
 * lib/table/slot.c (slot_finish, slot_release) and inv_wait in lib/api/invocation.c.
 *
 * Setters ask, a clearer withdraws, consumers sleep (inv_event_sleep) until they are
 * asked, waiters wait (inv_event_wait), awaiters wait for the end (inv_wait). The
 * owner closes the event and ends; a tenant registers anew in the slot if it is free.
 * Each access to shared memory is a step, between any two of which a process may be
 * killed (DEATHS).
 *
 * PROMPT: there are no slices, and nobody dies. Then every wake must be right of itself: at
 * a standstill nobody sleeps who has something to see. Without PROMPT a slice ends at
 * any time, and then a sleeper looks whether the owner still lives, and sweeps.
 *
 * Broken variants, each of which must fail:
 *   WAKE_ONE              a set wakes one sleeper
 *   NO_SLICE              a sleep lasts until a wake
 *   NO_SEQUENCE           set and clear leave the sequence as it was
 *   NO_GENERATION         a request is made whatever tenant the slot has
 *   SET_WHEN_ENDED        a set does not mind that the event is closed
 *   CONSUME_STORES        a consumer stores the word instead of swapping it
 *   SLEEP_ON_ENDED        inv_wait sleeps on the word between close and outcome
 *   WAKE_OWN_ONLY         an end does not wake where the slot has its next tenant already
 *   CLOSE_AFTER_OUTCOME   the outcome is recorded before the event is closed
 */
#ifndef SETTERS
#define SETTERS 0
#endif
#ifndef CLEARERS
#define CLEARERS 0
#endif
#ifndef CONSUMERS
#define CONSUMERS 0
#endif
#ifndef WAITERS
#define WAITERS 0
#endif
#ifndef AWAITERS
#define AWAITERS 0
#endif
#ifndef OWNERS
#define OWNERS 0
#endif
#ifndef TENANTS
#define TENANTS 0
#endif
#ifndef DEATHS
#define DEATHS 0
#endif

/* event word: | generation | sequence | waited | ended | delivered | set | */
#define EVENT_SET 1
#define EVENT_DELIVERED 2
#define REQUESTED(word) (((word) & (EVENT_SET | EVENT_DELIVERED)) != 0)
#define EVENT_ENDED 4
#define EVENT_WAITED 8
#define EVENT_SEQUENCE(word) ((word) >> 4 & 7)
#define EVENT_GENERATION(word) ((word) >> 7)
#define LOW_HALF(word) ((word) & 127)
#ifdef NO_SEQUENCE
#define NEXT_SEQUENCE(word) (word)
#else
#define NEXT_SEQUENCE(word) (((word) & ~112) | (((word) + 16) & 112))
#endif

/* control word: | generation | state | */
#define FREE 0
#define LIVE 3
#define DONE 5
#define CONTROL_WORD(generation, state) ((generation) << 3 | (state))
#define CONTROL_STATE(word) ((word) & 7)
#define CONTROL_GENERATION(word) ((word) >> 3)

/* Everybody but the tenant means the first registration. */
#define OWN 1
#define IS_LIVE (control == CONTROL_WORD(OWN, LIVE))

#define PROCESSES (SETTERS + CLEARERS + CONSUMERS + WAITERS + AWAITERS + OWNERS + TENANTS)
#define OWNER_PID (PROCESSES - TENANTS)

#define FIRST_CONSUMER (SETTERS + CLEARERS + 1)
#define FIRST_WAITER (FIRST_CONSUMER + CONSUMERS)
#define FIRST_AWAITER (FIRST_WAITER + WAITERS)

short event = OWN << 7;
byte control = CONTROL_WORD(OWN, LIVE);
bool asleep[8];

/* What no process can see, for the assertions. */
bool dead[8];
bool ended[8];
byte sets_at_entry[8];
byte deaths, sets, consumed, withdrawn, outcomes;
bool outcome_requested; /* what the recorded outcome says of requests */

/* 0 where it is another generation's */
inline event_word_load()
{
	word = event;
#ifndef NO_GENERATION
	if
	:: EVENT_GENERATION(word) != OWN -> word = 0
	:: else
	fi
#endif
}

inline futex_wake_all()
{
	d_step {
		number = 1;
		do
		:: number <= PROCESSES -> asleep[number] = false; number++
		:: else -> number = 0; break
		od
	}
}

/* One of the sleepers, dead or not: the kernel may choose one that is being killed. */
inline futex_wake_one()
{
	atomic {
		number = 1;
		do
		:: number <= PROCESSES && asleep[number] -> asleep[number] = false; break
		:: number <= PROCESSES -> number++
		:: number > PROCESSES -> break
		od;
		number = 0
	}
}

/* event_word_sleep, and the look after a slice without a wake */
inline event_word_sleep()
{
	if
	:: atomic { !(word & EVENT_WAITED) && event == word ->
		event = word | EVENT_WAITED;
		word = event
	   }
	:: atomic { !(word & EVENT_WAITED) && event != word -> word = 0 }
	:: atomic { word & EVENT_WAITED }
	fi;
	if
	:: word == 0
	:: else ->
		atomic {
			if
			:: LOW_HALF(event) == LOW_HALF(word) -> asleep[me] = true
			:: else
			fi;
			word = 0
		}
		if
		:: atomic { !asleep[me] }
#if !defined(PROMPT) && !defined(NO_SLICE)
		:: atomic { asleep[me] -> asleep[me] = false };
			look_after_owner()
#endif
		fi
	fi
}

inline event_word_close()
{
	do
	:: atomic {
		event_word_load();
		if
		:: word == 0 || (word & EVENT_ENDED) -> break
		:: else
		fi
	   }
	   atomic {
		if
		:: event == word -> event = word | EVENT_ENDED; word = event; break
		:: else
		fi
	   }
	od
}

/* slot_finish or slot_release, by the owner or by whoever sweeps after it */
inline end_it()
{
#ifndef CLOSE_AFTER_OUTCOME
	event_word_close();
#else
	atomic { event_word_load() };
#endif
	atomic {
		if
		:: IS_LIVE ->
			outcomes++;
			outcome_requested = REQUESTED(word);
			if
			:: control = CONTROL_WORD(OWN, DONE)
			:: control = CONTROL_WORD(OWN, FREE)
			fi
		:: else
		fi;
		assert(outcomes == 1)
	}
#ifdef CLOSE_AFTER_OUTCOME
	event_word_close();
#endif
	atomic {
		event_word_load();
#ifdef WAKE_OWN_ONLY
		wanted = (word & EVENT_WAITED) != 0;
#else
		wanted = word == 0 || (word & EVENT_WAITED);
#endif
		word = 0
	}
	atomic {
		if
		:: wanted -> futex_wake_all()
		:: else
		fi;
		wanted = false
	}
}

/* event_still_alive, where no broker serves the table */
inline look_after_owner()
{
	if
	:: OWNERS > 0 && dead[OWNER_PID] -> end_it()
	:: else
	fi
}

/* request_make, without the record */
proctype setter(byte me)
{
	short word;
	byte number;
	bool wanted;

	{
		do
		:: atomic {
			event_word_load();
			if
#ifdef SET_WHEN_ENDED
			:: word == 0 || (word & EVENT_SET) -> break
#else
			:: word == 0 || (word & EVENT_ENDED) || (word & EVENT_SET) -> break
#endif
			:: else
			fi
		   }
		   atomic {
			if
			:: event == word ->
				assert(EVENT_GENERATION(event) == OWN && outcomes == 0);
				event = NEXT_SEQUENCE(word) | EVENT_SET;
				word = 0;
				sets++;
				wanted = true
			:: else -> word = 0
			fi
		   }
		   if
		   :: wanted ->
#ifdef WAKE_ONE
			futex_wake_one();
#else
			futex_wake_all();
#endif
			break
		   :: else
		   fi
		od;
		atomic { ended[me] = true }
	} unless { dead[me] }
}

/* event_word_clear, as often as there is something to clear, once at most */
proctype clearer(byte me)
{
	short word;

	{
		do
		:: atomic {
			event_word_load();
			if
			:: word == 0 || (word & EVENT_ENDED) || !(word & EVENT_SET) -> break
			:: else
			fi
		   }
		   atomic {
			if
			:: event == word ->
				event = NEXT_SEQUENCE(word) & ~EVENT_SET;
				withdrawn++;
				assert(consumed + withdrawn <= sets);
				break
			:: else -> word = 0
			fi
		   }
		od;
		atomic { word = 0; ended[me] = true }
	} unless { dead[me] }
}

/* inv_event_sleep: take, else sleep, until the request is taken or all is over */
proctype consumer(byte me)
{
	short word;
	byte number;
	bool wanted;

	{
		do
		:: atomic {
			event_word_load();
			if
			:: word == 0 || (word & EVENT_ENDED) -> break
			:: else
			fi
		   }
		   if
		   :: word & EVENT_SET ->
			atomic {
#ifdef CONSUME_STORES
				event = (word & ~EVENT_SET) | EVENT_DELIVERED;
				consumed++;
				assert(consumed + withdrawn <= sets);
				break
#else
				if
				:: event == word ->
					event = (word & ~EVENT_SET) | EVENT_DELIVERED;
					consumed++;
					assert(consumed + withdrawn <= sets);
					break
				:: else -> word = 0
				fi
#endif
			}
		   :: else -> event_word_sleep()
		   fi
		od;
		atomic { word = 0; ended[me] = true }
	} unless { dead[me] }
}

/* inv_event_wait, for ever */
proctype waiter(byte me)
{
	short word;
	byte number, sequence;
	bool wanted, was_set;

	{
		atomic {
			event_word_load();
			sequence = EVENT_SEQUENCE(word);
			was_set = word & EVENT_SET;
			sets_at_entry[me] = sets
		}
		do
		:: atomic { word == 0 || (word & EVENT_ENDED) -> break }
		:: atomic {
			word != 0 && !(word & EVENT_ENDED) ->
			if
			:: (word & EVENT_SET) || EVENT_SEQUENCE(word) != sequence ->
				assert(was_set || sets > sets_at_entry[me]);
				break
			:: else
			fi
		   }
		   event_word_sleep();
		   atomic { event_word_load() }
		od;
		atomic { word = 0; sequence = 0; was_set = false; ended[me] = true }
	} unless { dead[me] }
}

/* inv_wait, for ever: the word before the state */
proctype awaiter(byte me)
{
	short word;
	byte number;
	bool wanted;

	{
		do
		:: atomic { event_word_load() };
		   if
		   :: atomic { !IS_LIVE -> break }
		   :: atomic { IS_LIVE };
			if
#ifdef SLEEP_ON_ENDED
			:: word != 0 -> event_word_sleep()
#else
			:: word != 0 && !(word & EVENT_ENDED) -> event_word_sleep()
			/* a short pause: the outcome is recorded in another word */
			:: word & EVENT_ENDED -> look_after_owner()
#endif
			:: word == 0
			fi
		   fi
		od;
		atomic { word = 0; ended[me] = true }
	} unless { dead[me] }
}

proctype owner(byte me)
{
	short word;
	byte number;
	bool wanted;

	{
		end_it();
		atomic { ended[me] = true }
	} unless { dead[me] }
}

/* The next registration in the same slot: claimed, then the event is made calm. */
proctype tenant(byte me)
{
	if
	:: atomic {
		CONTROL_STATE(control) == FREE ->
		control = CONTROL_WORD(OWN + 1, LIVE)
	   };
	   atomic { event = (OWN + 1) << 7 }
	:: CONTROL_STATE(control) == DONE
	fi;
	ended[me] = true
}

/* SIGKILL, at any moment, of any but the tenant */
proctype killer()
{
	byte victim = 1;

	do
	:: atomic {
		deaths < DEATHS && victim <= PROCESSES - TENANTS ->
		if
		:: !ended[victim] -> dead[victim] = true; deaths++
		:: true
		fi;
		victim++
	   }
	:: atomic { deaths == DEATHS || victim > PROCESSES - TENANTS -> break }
	od
}

/* It has returned, or was killed, or there is nothing yet for which it should. */
#define IS_RIGHT(number)                                                                    \
	((number) > PROCESSES || ended[number] || dead[number] ||                            \
	 (IS_LIVE && ((number) >= FIRST_WAITER || !(event & EVENT_SET)) &&                    \
	  ((number) < FIRST_WAITER || (number) >= FIRST_AWAITER || sets == sets_at_entry[number])))
#define ALL_ARE_RIGHT                                                                       \
	(IS_RIGHT(1) && IS_RIGHT(2) && IS_RIGHT(3) && IS_RIGHT(4) && IS_RIGHT(5) && IS_RIGHT(6))

/* Each request was taken by exactly one, or withdrawn, or is still there. */
#define REQUESTS_ADD_UP                                                                     \
	(EVENT_GENERATION(event) != OWN || sets == consumed + withdrawn + (event & EVENT_SET))
/* What the outcome says of requests is what the word said to the end. */
#define OUTCOME_IS_TRUE                                                                     \
	(outcomes == 0 || EVENT_GENERATION(event) != OWN ||                                  \
	 outcome_requested == REQUESTED(event))

init
{
	byte number = 1;

	atomic {
		do
		:: number <= SETTERS -> run setter(number); number++
		:: number > SETTERS && number < FIRST_CONSUMER -> run clearer(number); number++
		:: number >= FIRST_CONSUMER && number < FIRST_WAITER -> run consumer(number); number++
		:: number >= FIRST_WAITER && number < FIRST_AWAITER -> run waiter(number); number++
		:: number >= FIRST_AWAITER && number < FIRST_AWAITER + AWAITERS -> run awaiter(number); number++
		:: number >= FIRST_AWAITER + AWAITERS && number < FIRST_AWAITER + AWAITERS + OWNERS ->
			run owner(number); number++
		:: number >= FIRST_AWAITER + AWAITERS + OWNERS && number <= PROCESSES -> run tenant(number); number++
		:: number > PROCESSES -> break
		od;
		if
		:: DEATHS > 0 -> run killer()
		:: else
		fi;
		number = 0
	}
#ifndef LIVENESS
	timeout -> atomic {
		assert(ALL_ARE_RIGHT);
		assert(REQUESTS_ADD_UP);
		assert(OUTCOME_IS_TRUE)
	}
#endif
}

#ifdef LIVENESS
/* Whoever was killed, in the end nobody sleeps who has something to see. */
ltl sleepers_return { <> [] (ALL_ARE_RIGHT) }
#endif

/*
 * LIVE -> LIVE: what a dead supervisor left is taken over by a broker, and by the next
 * broker from that one: lib/table/slot.c (slot_give), lib/protocol/sweep.c, lib/api/run.c, lib/protocol/lifecycle.c.
 *
 * One slot of `run`. Its supervisor ends it, or is killed; brokers serve one after the
 * other, each killed in turn, and use two owners' entries alternately, so that the third has
 * the entry that the first had. A sweeper without a broker's rights records what has
 * no action any more as lost. The action ends at any time.
 *
 * The living lose nothing to a sweep; an event is closed by its owner, or when the
 * outcome is recorded; at a standstill the slot is DONE with its event closed, or
 * somebody who lives owns it, or there is no broker left.
 *
 * Broken variants, each of which must fail:
 *   NO_GIVEN      taking over is not counted in the control word
 *   CLOSE_FIRST   who sweeps closes the event before it has recorded the end
 */
#ifndef DEATHS
#define DEATHS 3
#endif
#define BROKERS 3
#define SUPERVISOR 4 /* its number, and its owner's entry's */
#define NOBODY 0

mtype = { LIVE, DONE };

/* the control word */
mtype state = LIVE;
byte slot_owner = SUPERVISOR;
byte given;
bool ended;
bool swept_shut; /* by a sweeper: for the assertions */

/* owners' entries: whose it is. Entry 3 is not used. */
byte entry[5];
bool action_ended;

bool dead[5];
byte deaths;

#define SAME_WORD (state == LIVE && slot_owner == seen_owner && given == seen_given)

/* event_word_close, and the swap of slot_finish */
proctype supervisor()
{
	{
		atomic { ended = ended || state == LIVE && slot_owner == SUPERVISOR };
		atomic {
			if
			:: state == LIVE && slot_owner == SUPERVISOR -> state = DONE
			:: else
			fi
		}
	} unless { dead[SUPERVISOR] }
}

/* The slot's word, then whose entry it names, then whether that one is dead. */
inline judge()
{
	atomic {
		state == LIVE && slot_owner != NOBODY && dead[entry[slot_owner]] ->
		seen_owner = slot_owner;
		seen_given = given
	};
	atomic { judged = entry[seen_owner]; found = dead[judged] };
	atomic { found = found && entry[seen_owner] == judged }
}

inline lose()
{
#ifdef CLOSE_FIRST
	atomic {
		if
		:: !ended -> ended = true; swept_shut = true
		:: else
		fi
	};
#endif
	atomic {
		lost = false;
		if
		:: SAME_WORD ->
			assert(dead[entry[slot_owner]]); /* the living lose nothing */
			state = DONE;
			lost = true
		:: else
		fi
	};
	atomic {
		if
		:: lost -> ended = true
		:: else
		fi
	}
}

proctype sweeper()
{
	byte seen_owner, seen_given, judged;
	bool found, lost;

	do
	:: judge();
	   if
	   :: found && action_ended -> lose()
	   :: else
	   fi
	:: atomic { state == DONE -> break }
	od
}

/* number 1 to BROKERS, one after the other */
proctype broker(byte number)
{
	byte seen_owner, seen_given, judged, own = 1 + (number + 1) % 2;
	bool found, mine;

	{
		atomic { (number == 1 || dead[number - 1]) && entry[own] == NOBODY -> entry[own] = number };
		do
		:: atomic { state == DONE -> break }
		:: atomic { mine && action_ended -> break }
		:: judge();
		   if
		   :: found ->
			atomic {
				if
				:: SAME_WORD ->
					assert(dead[entry[slot_owner]]);
					slot_owner = own;
#ifndef NO_GIVEN
					given++;
#endif
					mine = true
				:: else
				fi
			};
			/* nothing names the dead one's entry any more */
			atomic {
				if
				:: slot_owner != seen_owner && entry[seen_owner] == judged ->
					entry[seen_owner] = NOBODY
				:: else
				fi
			}
		   :: else
		   fi
		od;
		if
		:: mine ->
			/* inv_run_end: it closes what it owns, which nobody else has closed */
			atomic {
				if
				:: state == LIVE && slot_owner == own ->
					assert(!swept_shut);
					ended = true
				:: else
				fi
			};
			atomic {
				if
				:: state == LIVE && slot_owner == own -> state = DONE
				:: else
				fi
			}
		:: else
		fi
	} unless { dead[number] }
}

proctype action()
{
	atomic { action_ended = true }
}

/* In any order. */
proctype killer(byte victim)
{
	atomic {
		if
		:: deaths < DEATHS -> dead[victim] = true; deaths++
		:: true
		fi
	}
}

init
{
	atomic {
		entry[SUPERVISOR] = SUPERVISOR;
		run supervisor();
		run sweeper();
		run broker(1);
		run broker(2);
		run broker(3);
		run action();
		run killer(1);
		run killer(2);
		run killer(3);
		run killer(SUPERVISOR)
	}
	/* At a standstill: recorded and closed, or with its living owner, or nobody is left. */
	timeout ->
	assert(state == DONE -> ended : dead[BROKERS])
}

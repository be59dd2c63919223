/*
 * A request's record: lib/protocol/request.c, with the event word of lib/table/event_word.c.
 *
 * Askers ask, each once; a consumer takes what is set, and asks begin anew with the
 * next sequence number; a reader reads the record that the word tells of. Any asker may be
 * killed between any two accesses.
 *
 * A reader never takes parts of two askers' records for one, unless a writer was overtaken
 * by a whole later request. There is one request for each number. Of one asker alone the
 * record is there as soon as the request is.
 *
 * Broken variants, each of which must fail:
 *   NO_CLAIM      the record is written without being claimed
 *   READY_FIRST   it is marked ready before it is written
 *   SET_FIRST     the event is set before the record is written
 */
#ifndef ASKERS
#define ASKERS 2
#endif
#ifndef DEATHS
#define DEATHS 0
#endif

mtype = { NONE, WRITING, READY };

byte sequence; /* the event word */
bool set, asked;
byte record_sequence; /* the record's word */
mtype stage = NONE;
byte cause, actor; /* the record: both are the asker's number */

bool dead[ASKERS + 1];
byte deaths, made, writers_at_work;
bool overtaken; /* somebody still writes a record that is not the last */

inline write_record()
{
	atomic { writers_at_work++ ; cause = me };
	atomic { actor = me; writers_at_work-- }
}

inline record(number)
{
	atomic { word_sequence = record_sequence; word_stage = stage };
#ifdef NO_CLAIM
	write_record();
	atomic { record_sequence = number; stage = READY }
#else
	if
	:: word_sequence == number && word_stage != NONE
	:: else ->
		atomic {
			if
			:: record_sequence == word_sequence && stage == word_stage ->
				overtaken = overtaken || writers_at_work > 0;
				record_sequence = number;
#ifdef READY_FIRST
				stage = READY;
#else
				stage = WRITING;
#endif
				claimed = true
			:: else
			fi
		};
		if
		:: claimed ->
			write_record();
			atomic {
				if
				:: record_sequence == number && stage == WRITING -> stage = READY
				:: else
				fi
			}
		:: else
		fi
	fi
#endif
}

proctype asker(byte me)
{
	byte seen, word_sequence;
	mtype word_stage;
	bool was_set, claimed, done;

	{
		do
		:: done -> break
		:: !done ->
			atomic { seen = sequence; was_set = set };
			if
			:: was_set -> done = true
			:: else ->
				claimed = false;
#ifndef SET_FIRST
				record(seen + 1);
#endif
				atomic {
					if
					:: sequence == seen && !set ->
						sequence++;
						set = true;
						asked = true;
						made++;
						assert(made == sequence);
						done = true
					:: else
					fi
				};
#ifdef SET_FIRST
				if
				:: done -> record(seen + 1)
				:: else
				fi
#endif
			fi
		od
	} unless { dead[me] }
}

proctype consumer()
{
	atomic { set -> set = false }
}

/* request_read: twice the word, and the record between. */
proctype reader()
{
	byte seen, seen_cause, seen_actor;
	bool ready;

	do
	:: atomic { asked -> seen = sequence };
	   atomic { ready = (stage == READY && record_sequence == seen) };
	   if
	   :: ready ->
		atomic { seen_cause = cause };
		atomic { seen_actor = actor };
		atomic {
			if
			:: stage == READY && record_sequence == seen && !overtaken ->
				assert(seen_cause == seen_actor && seen_cause != 0)
			:: else
			fi
		}
	   :: else -> assert(ASKERS > 1) /* one alone has written what it asks */
	   fi;
	   atomic { ready = false; seen = 0; seen_cause = 0; seen_actor = 0 }
	od
}

proctype killer()
{
	byte victim = 1;

	do
	:: atomic {
		deaths < DEATHS && victim <= ASKERS ->
		if
		:: dead[victim] = true; deaths++
		:: true
		fi;
		victim++
	   }
	:: atomic { deaths == DEATHS || victim > ASKERS -> break }
	od
}

init
{
	byte number = 1;

	atomic {
		do
		:: number <= ASKERS -> run asker(number); number++
		:: else -> break
		od;
		run consumer();
		run reader();
		run killer()
	}
}

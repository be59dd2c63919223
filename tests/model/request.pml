/*
 * A request's record: lib/protocol/request.c, with the event word of lib/table/event_word.c.
 *
 * Requesters make a request each, once; a consumer takes what is set, a withdrawer clears it, and
 * requests begin anew with the next sequence number. The record of number n lies in place n % 2.
 * A reader reads the record of the request that the word shows. Any requester may be
 * killed between any two accesses.
 *
 * A reader never takes parts of two requesters' records for one, unless a writer was overtaken
 * by two later requests. There is one request for each number. Of one requester alone the
 * record is there as soon as the request is. The place of the last delivered request is not
 * claimed again before another one is delivered.
 *
 * Broken variants, each of which must fail:
 *   NO_CLAIM      the record is written without being claimed
 *   READY_FIRST   it is marked ready before it is written
 *   SET_FIRST     the event is set before the record is written
 *   ONE_PLACE     all numbers have the same place
 *   NO_RECHECK    the event word is not read again before the claim
 *   ONE_TRY       a claim that a rival has made fail is not tried again
 *
 * With SAME_CALL all requesters are one call, which reaches the invocation by several ways: it makes
 * one request at most, of which the consumer takes one. Broken variant:
 *   RECORDS_FIRST the records are looked through for the call before the event word is read
 */
#ifndef ASKERS
#define ASKERS 2
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifdef ONE_PLACE
#define PLACE(number) 0
#else
#define PLACE(number) ((number) % 2)
#endif

mtype = { NONE, WRITING, READY };

byte sequence; /* the event word */
bool set, delivered;
byte record_sequence[2]; /* the words of the two records */
mtype stage[2] = NONE;
byte cause[2], actor[2]; /* the records: both are the requester's number */

bool dead[ASKERS + 1];
byte deaths, made, writers_at_work[2];
bool overtaken[2]; /* a requester still writes a record that is not the last */
byte delivered_number; /* of the last request that was consumed */

inline write_record(place)
{
	atomic { cause[place] = me };
	atomic { actor[place] = me; writers_at_work[place]-- }
}

inline claim(number)
{
	do
	:: word_sequence == number && word_stage != NONE -> break
	:: else ->
#ifndef NO_RECHECK
		atomic { unchanged = (sequence == seen && !set) };
#else
		unchanged = true;
#endif
		atomic {
			if
			:: unchanged && record_sequence[place] == word_sequence &&
			   stage[place] == word_stage ->
				assert(!delivered || place != PLACE(delivered_number));
				overtaken[place] = overtaken[place] || writers_at_work[place] > 0;
				writers_at_work[place]++;
				record_sequence[place] = number;
#ifdef READY_FIRST
				stage[place] = READY;
#else
				stage[place] = WRITING;
#endif
				claimed = true
			:: else ->
				word_sequence = record_sequence[place];
				word_stage = stage[place]
			fi
		};
		if
		:: claimed || !unchanged -> break
		:: else
#ifdef ONE_TRY
			-> break
#endif
		fi
	od
}

inline record(number)
{
	place = PLACE(number);
	atomic { word_sequence = record_sequence[place]; word_stage = stage[place] };
#ifdef NO_CLAIM
	atomic { writers_at_work[place]++ };
	write_record(place);
	atomic { record_sequence[place] = number; stage[place] = READY }
#else
	claim(number);
	if
	:: claimed ->
		write_record(place);
		atomic {
			if
			:: record_sequence[place] == number && stage[place] == WRITING ->
				stage[place] = READY
			:: else
			fi
		}
	:: else
	fi
#endif
}

/* Two steps: the records are not read at once. */
inline find_call()
{
	atomic { repeated = (stage[0] == READY) };
	atomic { repeated = repeated || stage[1] == READY }
}

proctype asker(byte me)
{
	byte seen, word_sequence, place;
	mtype word_stage;
	bool was_set, claimed, done, unchanged, repeated;

	{
		do
		:: done -> break
		:: !done ->
#ifdef RECORDS_FIRST
			find_call();
#endif
			atomic { seen = sequence; was_set = set };
#if defined(SAME_CALL) && !defined(RECORDS_FIRST)
			find_call();
#endif
			if
			:: was_set || repeated -> done = true
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
						made++;
#ifdef SAME_CALL
						assert(made == 1);
#endif
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
	do
	:: atomic { set -> set = false; delivered = true; delivered_number = sequence }
	od
}

proctype withdrawer()
{
	atomic { set -> set = false; sequence++ }
}

/* request_read: twice the word, and the record between. */
proctype reader()
{
	byte seen, seen_cause, seen_actor, place;
	bool ready;

	do
	:: atomic { set -> seen = sequence; place = PLACE(seen) };
	   atomic { ready = (stage[place] == READY && record_sequence[place] == seen) };
	   if
	   :: ready ->
		atomic { seen_cause = cause[place] };
		atomic { seen_actor = actor[place] };
		atomic {
			if
			:: stage[place] == READY && record_sequence[place] == seen && !overtaken[place] ->
				assert(seen_cause == seen_actor && seen_cause != 0)
			:: else
			fi
		}
	   :: else -> assert(ASKERS > 1) /* one alone has written its record */
	   fi;
	   atomic { ready = false; seen = 0; seen_cause = 0; seen_actor = 0; place = 0 }
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
		run withdrawer();
		run reader();
		run killer()
	}
}

/*
 * The protocol of the cancel event's word.
 *
 *   | generation 32 | sequence 26 | finishing | paused | waited | ended | delivered | set |
 *
 * The word says everything about the requests to one registration:
 *
 *   set        a request is pending
 *   delivered  at least one was consumed; a later one may be pending
 *   neither    none was made, or each was withdrawn
 *   paused     checks and sleeps stop (protocol/pause.c); never together with set
 *   finishing  the outcome is decided; what set and delivered say no longer matters
 *   ended      the owner has closed it; what set and delivered say is final
 *
 * Transitions, each one compare-and-swap of the whole word, generation included,
 * so that none can hit a later tenant of the slot:
 *
 *   set      (not set, not finishing, not ended)  sequence + 1, set, not paused; then wake all,
 *                                  always
 *   consume  (set, not ended)      not set, delivered. The one whose swap succeeds has the request
 *   clear    (set, not ended)      sequence + 1, not set
 *   pause    (not set, paused, finishing or ended)  paused; then wake all, so that a sleep
 *                                  notes the time that it has left
 *   resume   (paused, not ended)   not paused; then wake all
 *   wait     (not waited)          waited; then sleep
 *   finish   (not ended)           finishing, not paused; then wake all. By the owner
 * (protocol/lifecycle.c) close    (not ended)           ended, not paused. By the owner before it
 * records the outcome, or by a sweeper; the end (slot.c) then wakes
 *
 * So the sequence numbers of a delivered request and of the one pending after it differ by an
 * odd number, however many were withdrawn in between: their records have two places
 * (protocol/request.c).
 *
 * A waiter is done when the word is set, or its sequence differs from that at its
 * entry: a set that was cleared at once counts. It sleeps on the low half in slices
 * of half a second.
 *
 * A SIGKILL between
 *   set and wake        the waiters check again at the end of their slice; so after a pause
 *                       and a resume
 *   consume and return  the request is lost with it; the word shows that it was
 *                       delivered
 *   close and outcome   the owner is dead: the sweep records the outcome and wakes
 *   waited and sleep    nothing: the bit says that a wake may be needed, once too
 *                       often at worst
 * Generation and sequence can't both return to a former value within a slice: that
 * would take 2^26 requests, or 2^30 registrations, in half a second.
 */
#include "table/event_word.h"

#include <errno.h>

#include "os/clock.h"
#include "os/futex.h"

#define SLICE_GRAIN_NS (NS_PER_SECOND / 32)

void event_word_reset(inv_table *table, struct slot_ref ref)
{
	/* release: a setter that sees this generation sees the payload */
	atomic_store_explicit(&table->event[ref.index], (uint64_t)ref.generation << 32,
	                      memory_order_release);
}

uint64_t event_word_load(const inv_table *table, struct slot_ref ref)
{
	uint64_t word = atomic_load(&table->event[ref.index]);

	return event_generation(word) == ref.generation ? word : 0;
}

void event_word_wake(inv_table *table, struct slot_ref ref)
{
	futex_wake_all(futex_low_half(&table->event[ref.index]));
}

bool event_word_set(inv_table *table, struct slot_ref ref, uint64_t seen)
{
	uint64_t requested = (event_next_sequence(seen) & ~EVENT_PAUSED) | EVENT_SET;

	if (!atomic_compare_exchange_strong(&table->event[ref.index], &seen, requested))
		return false;
	event_word_wake(table, ref);
	return true;
}

bool event_word_finish(inv_table *table, struct slot_ref ref, uint64_t seen)
{
	if (!atomic_compare_exchange_strong(&table->event[ref.index], &seen,
	                                    (seen & ~EVENT_PAUSED) | EVENT_FINISHING))
		return false;
	event_word_wake(table, ref);
	return true;
}

int event_word_clear(inv_table *table, struct slot_ref ref)
{
	for (;;) {
		uint64_t word = event_word_load(table, ref);
		if (word == 0 || word & EVENT_ENDED)
			return -ESTALE;
		if (!(word & EVENT_SET))
			return 0;
		uint64_t cleared = event_next_sequence(word) & ~EVENT_SET;
		if (atomic_compare_exchange_strong(&table->event[ref.index], &word, cleared))
			return 1;
	}
}

int event_word_consume(inv_table *table, struct slot_ref ref)
{
	for (;;) {
		uint64_t word = event_word_load(table, ref);
		if (word == 0 || word & EVENT_ENDED)
			return -ESTALE;
		if (!(word & EVENT_SET))
			return 0;
		if (atomic_compare_exchange_strong(&table->event[ref.index], &word,
		                                   (word & ~EVENT_SET) | EVENT_DELIVERED))
			return 1;
	}
}

int event_word_pause(inv_table *table, struct slot_ref ref)
{
	for (;;) {
		uint64_t word = event_word_load(table, ref);
		if (word == 0 || word & (EVENT_ENDED | EVENT_FINISHING))
			return -ESTALE;
		if (word & EVENT_SET)
			return -ECANCELED;
		if (word & EVENT_PAUSED)
			return 0;
		if (atomic_compare_exchange_strong(&table->event[ref.index], &word,
		                                   word | EVENT_PAUSED))
			break;
	}
	event_word_wake(table, ref);
	return 1;
}

int event_word_resume(inv_table *table, struct slot_ref ref)
{
	for (;;) {
		uint64_t word = event_word_load(table, ref);
		if (word == 0 || word & EVENT_ENDED)
			return -ESTALE;
		if (!(word & EVENT_PAUSED))
			return 0;
		if (atomic_compare_exchange_strong(&table->event[ref.index], &word,
		                                   word & ~EVENT_PAUSED))
			break;
	}
	event_word_wake(table, ref);
	return 1;
}

uint64_t event_word_close(inv_table *table, struct slot_ref ref)
{
	for (;;) {
		uint64_t word = event_word_load(table, ref);
		uint64_t ended = (word & ~EVENT_PAUSED) | EVENT_ENDED;
		if (word == 0 || word & EVENT_ENDED)
			return word;
		if (atomic_compare_exchange_strong(&table->event[ref.index], &word, ended))
			return ended;
	}
}

/* Slices of many waiters end together, at few moments of a second: where every waiter's timer
 * is another, the kernel sets its clock anew for each of a thousand that are woken. */
static int64_t slice_end_ns_from(int64_t now_ns)
{
	int64_t end_ns = now_ns + WAIT_SLICE_NS;

	return WAIT_SLICE_NS > 2 * SLICE_GRAIN_NS ? end_ns - end_ns % SLICE_GRAIN_NS : end_ns;
}

int event_word_sleep(inv_table *table, struct slot_ref ref, uint64_t seen, int64_t until_ns)
{
	int64_t slice_end_ns = slice_end_ns_from(clock_monotonic_coarse_ns());
	bool last = until_ns >= 0 && until_ns <= slice_end_ns;
	uint64_t waited = seen | EVENT_WAITED;

	/* The kernel would set up a timer, which has some slack. */
	if (last && until_ns <= clock_monotonic_ns())
		return -ETIMEDOUT;
	if (seen != waited &&
	    !atomic_compare_exchange_strong(&table->event[ref.index], &seen, waited))
		return 0;
	int result = futex_wait(futex_low_half(&table->event[ref.index]), (uint32_t)waited,
	                        last ? until_ns : slice_end_ns);
	return result == -ETIMEDOUT && !last ? 1 : result;
}

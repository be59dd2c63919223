/*
 * The calls on a cancel event: is_set, set, clear, wait, check, sleep.
 *
 * The counterpart of threading.Event and of labthings' CancelEvent, across
 * processes. The word's protocol stands in table/event_word.c; handles in handle.c.
 * A check loads the word and compares it with the value that the handle has seen. Only where
 * they differ, and once in SAMPLE_EVERY checks, it does more. Of these calls only check and sleep
 * stop while the invocation is paused (protocol/pause.c).
 */
#include "api/event.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "os/clock.h"
#include "os/futex.h"
#include "protocol/request.h"
#include "protocol/shield.h"
#include "protocol/sweep.h"
#include "table/event_word.h"
#include "table/last_check.h"
#include "table/lease.h"
#include "table/owner.h"

enum { OWN_TURN_EVERY = 4, SAMPLE_EVERY = 4096 };

int event_living_word_of(const inv_event *event, uint64_t *word)
{
	int error = event_word_of(event, word);

	if (error || table_broker_watches_lately(event->table) ||
	    !sweep_slot(event->table, event->ref.index))
		return error;
	return event_word_of(event, word);
}

/* Judged without what only an ordinary call may do (memory, locks, a sweep), so that it can run in
 * a signal handler. false also where it is not known. */
static bool owner_is_dead(const inv_event *event)
{
	const inv_table *table = event->table;
	uint64_t kind = atomic_load(&table->slots[event->ref.index].flags) & SLOT_KIND_MASK;
	uint32_t owner = control_owner(slot_word(table, event->ref));
	struct process_identity identity;

	/* An action of `run` may outlive its supervisor. */
	return kind != INV_KIND_RUN && owner != table->owner &&
	       owner_read(table, owner, &identity) != 0 &&
	       identity.namespace == process_namespace() && process_life(&identity) == PROCESS_DEAD;
}

static void note_check(inv_event *event, uint64_t word)
{
	last_check_note(event->table, event->ref);
	atomic_store_explicit(&event->until_sample, SAMPLE_EVERY, memory_order_relaxed);
	if (!(word & (EVENT_SET | EVENT_PAUSED)))
		atomic_store_explicit(&event->seen, word, memory_order_relaxed);
}

static bool sample_due(const inv_event *event)
{
	return atomic_load_explicit(&event->until_sample, memory_order_relaxed) == 0;
}

/* The word of a changed event: 0, or -ESTALE; the check is noted. */
static int read_changed(inv_event *event, uint64_t *word)
{
	int error =
	        sample_due(event) ? event_living_word_of(event, word) : event_word_of(event, word);

	if (!error)
		note_check(event, *word);
	return error;
}

static inline bool unchanged(inv_event *event)
{
	shared_u64 *word = atomic_load_explicit(&event->word, memory_order_relaxed);
	uint32_t left = atomic_load_explicit(&event->until_sample, memory_order_relaxed);

	/* acquire: what the requester wrote before can be read after a check */
	if (atomic_load_explicit(word, memory_order_acquire) !=
	            atomic_load_explicit(&event->seen, memory_order_relaxed) ||
	    left == 0)
		return false;
	/* Threads that race here lose a count: it is a sample. */
	atomic_store_explicit(&event->until_sample, left - 1, memory_order_relaxed);
	return true;
}

int inv_event_is_set(const inv_event *event)
{
	inv_event *own = (inv_event *)(uintptr_t)event;
	uint64_t word;

	if (unchanged(own))
		return 0;
	int error = event_word_of(event, &word);
	if (!error && sample_due(event) && !table_broker_watches_lately(event->table) &&
	    owner_is_dead(event))
		error = -ESTALE;
	if (error)
		return error;
	note_check(own, word);
	return (word & EVENT_SET) != 0;
}

/* 0, or -ECANCELED and consumed, or -ESTALE; 1: it is paused. */
static int take(inv_event *event, uint64_t *word)
{
	int result = read_changed(event, word);

	if (result || !(*word & (EVENT_SET | EVENT_PAUSED)) ||
	    shield_holds(event->table, event->ref))
		return result;
	if (!(*word & EVENT_SET))
		return 1;
	result = request_take(event->table, event->ref);
	return result == 1 ? -ECANCELED : result;
}

int event_take(inv_event *event)
{
	uint64_t word;
	int result = unchanged(event) ? 0 : take(event, &word);

	return result == 1 ? 0 : result;
}

int inv_event_set(inv_event *event, const char *reason)
{
	struct request request = {.cause = INV_CAUSE_REQUESTED, .reason = reason};
	uint64_t word;
	int error = event_living_word_of(event, &word);

	if (error)
		return error;
	int result = request_make(event->table, event->ref, &request);
	return result < 0 ? result : 0;
}

int inv_event_clear(inv_event *event)
{
	uint64_t word;
	int error = event_living_word_of(event, &word);

	if (error)
		return error;
	int result = event_word_clear(event->table, event->ref);
	return result < 0 ? result : 0;
}

/* Its owner is dead, and one slice more has passed without a sweep: a broker that does its work
 * takes milliseconds for that. */
static bool is_neglected(inv_table *table, struct slot_ref ref)
{
	uint64_t seen = event_word_load(table, ref), owner_word;

	return owner_life(table, control_owner(slot_word(table, ref)), &owner_word) ==
	               PROCESS_DEAD &&
	       event_word_sleep(table, ref, seen, -1) == 1;
}

int event_still_alive(inv_table *table, struct slot_ref ref)
{
	if (table_abandoned(table))
		return -ESTALE;
	/* A broker cleans up after dead owners; but it may hang, so the waiter checks now and then
	 * itself. What `run` left, which the broker may take over, it leaves to it at first. */
	uint64_t kind = atomic_load(&table->slots[ref.index].flags) & SLOT_KIND_MASK;
	bool own_turn = clock_monotonic_coarse_ns() / WAIT_SLICE_NS % OWN_TURN_EVERY == 0;
	if (!table_broker_watches(table) ||
	    (own_turn && (kind != INV_KIND_RUN || is_neglected(table, ref))))
		sweep_slot(table, ref.index);
	return control_state(slot_word(table, ref)) == SLOT_LIVE ? 0 : -ESTALE;
}

/* Sleep until the word differs from seen. After a full slice without a wake the owner's life is
 * checked. 0, -ETIMEDOUT, -EINTR, -ESTALE. */
static int sleep_on(inv_event *event, uint64_t seen, int64_t until_ns)
{
	int result = event_word_sleep(event->table, event->ref, seen, until_ns);

	return result == 1 ? event_still_alive(event->table, event->ref) : result;
}

/* As take, but where it is paused: stay until it is not. *stayed_ns: for how long. -EINTR. */
static int take_when_resumed(inv_event *event, uint64_t *word, int64_t *stayed_ns)
{
	int result = take(event, word);

	*stayed_ns = 0;
	if (result != 1)
		return result;
	int64_t since_ns = clock_monotonic_ns();
	while (result == 1) {
		result = sleep_on(event, *word, INV_FOREVER);
		if (!result)
			result = take(event, word);
	}
	*stayed_ns = clock_monotonic_ns() - since_ns;
	return result;
}

/* Apart, so that a check of an unchanged event sets up no stack for it. */
static __attribute__((noinline)) int check_changed(inv_event *event)
{
	uint64_t word;
	int64_t stayed_ns;

	return take_when_resumed(event, &word, &stayed_ns);
}

int inv_event_check(inv_event *event)
{
	return unchanged(event) ? 0 : check_changed(event);
}

int inv_event_wait(inv_event *event, int64_t timeout_ns)
{
	int64_t until_ns = clock_deadline_ns(timeout_ns);
	uint64_t word = 0;
	int error = event_living_word_of(event, &word);

	if (!error)
		error = read_changed(event, &word);
	uint32_t sequence = event_sequence(word);

	while (!error) {
		if (word & EVENT_SET || event_sequence(word) != sequence)
			return 1;
		if (word & EVENT_ENDED)
			return -ESTALE;
		error = sleep_on(event, word, until_ns);
		if (error == -ETIMEDOUT)
			return 0;
		/* A set that was followed by the end at once is still a set. */
		if (!error && event_word_of(event, &word) != 0 && word == 0)
			error = -ESTALE;
	}
	return error;
}

int inv_event_sleep(inv_event *event, int64_t duration_ns)
{
	int64_t until_ns = clock_deadline_ns(duration_ns);
	uint64_t word;

	if (duration_ns < 0 && duration_ns != INV_FOREVER)
		return -EINVAL;
	int error = event_living_word_of(event, &word);
	if (error)
		return error;
	for (;;) {
		int64_t stayed_ns;
		int result = take_when_resumed(event, &word, &stayed_ns);
		/* What was left at the pause is left now. */
		if (until_ns >= 0 && __builtin_add_overflow(until_ns, stayed_ns, &until_ns))
			until_ns = INV_FOREVER;
		if (!result)
			result = sleep_on(event, word, until_ns);
		/* Paused just before its end, by a process that was killed before its wake. */
		if (result == -ETIMEDOUT && !(word & EVENT_PAUSED) &&
		    event_word_load(event->table, event->ref) & EVENT_PAUSED)
			continue;
		if (result)
			return result == -ETIMEDOUT ? 0 : result;
	}
}

int plain_sleep(int64_t duration_ns)
{
	struct timespec until = clock_timespec(clock_deadline_ns(duration_ns));

	if (clock_deadline_ns(duration_ns) < 0)
		until.tv_sec = INT64_MAX / 4;
	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

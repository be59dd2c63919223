/* The cancel event's word: see event_word.c for the protocol. */
#ifndef EVENT_WORD_H
#define EVENT_WORD_H

#include "table/table.h"

static inline uint32_t event_generation(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

static inline uint32_t event_sequence(uint64_t word)
{
	return (uint32_t)((word & EVENT_SEQUENCE_MASK) / EVENT_SEQUENCE_STEP);
}

/* A request was made, and not withdrawn. */
static inline bool event_requested(uint64_t word)
{
	return (word & (EVENT_SET | EVENT_DELIVERED)) != 0;
}

/* The word with the next sequence number; it wraps within its field. */
static inline uint64_t event_next_sequence(uint64_t word)
{
	return (word & ~EVENT_SEQUENCE_MASK) | ((word + EVENT_SEQUENCE_STEP) & EVENT_SEQUENCE_MASK);
}

/* A new tenant's word: no request. */
void event_word_reset(inv_table *table, struct slot_ref ref);

/* The word, or 0 where it is another generation's. */
uint64_t event_word_load(const inv_table *table, struct slot_ref ref);

/* Set, if it is still as seen. Wakes all. */
bool event_word_set(inv_table *table, struct slot_ref ref, uint64_t seen);

/* The outcome is decided, if it is still as seen: no more requests. Wakes all. */
bool event_word_finish(inv_table *table, struct slot_ref ref, uint64_t seen);

/* 1 withdrawn, 0 it was not set; -ESTALE. */
int event_word_clear(inv_table *table, struct slot_ref ref);

/* 1 this call took the request, 0 there was none; -ESTALE. */
int event_word_consume(inv_table *table, struct slot_ref ref);

/* 1 paused by this call, 0 it was paused; -ECANCELED a request is pending; -ESTALE it has ended,
 * or finishes. Wakes all. */
int event_word_pause(inv_table *table, struct slot_ref ref);

/* 1 resumed by this call, 0 it was not paused; -ESTALE. Wakes all. */
int event_word_resume(inv_table *table, struct slot_ref ref);

/* No more requests. Returns the word as it then is; 0 if it is another generation's. */
uint64_t event_word_close(inv_table *table, struct slot_ref ref);

/* Wake all that sleep on it, without changing it. */
void event_word_wake(inv_table *table, struct slot_ref ref);

/* Sleep while the word is as seen, until until_ns (monotonic; -1: forever) or a
 * slice has passed. 0 check again; 1 the same, after a slice without a wake; -ETIMEDOUT
 * until_ns has come; -EINTR. */
int event_word_sleep(inv_table *table, struct slot_ref ref, uint64_t seen, int64_t until_ns);

#endif

/*
 * Handles on events, private to this process (event_handle.c), and the slow ways
 * of the calls on them (event.c).
 */
#ifndef EVENT_H
#define EVENT_H

#include "table/slot.h"
#include "table/table.h"

struct event_watcher;

/*
 * One per registration and process, counted. A check compares the event word with
 * calm: the last word that was found to be of this generation and not set. While
 * they agree there is nothing to do; whatever changes (a request, the end, the
 * next tenant, a fork, a closed table) makes them differ.
 */
struct inv_event {
	_Atomic(shared_u64 *) word;    /* in the segment; &spoilt_word once disowned */
	_Atomic uint64_t calm;         /* never 0 */
	_Atomic uint32_t until_sample; /* checks until the next is noted as a look */
	struct slot_ref ref;
	uint8_t id[16];
	inv_table *table;      /* NULL: disowned */
	_Atomic bool disowned; /* by fork or close: every call answers -ESTALE */
	bool owned;     /* this process registered it, without begin: the last put frees it */
	unsigned count; /* of handles given out; under table->lock */
	struct event_watcher *watcher; /* of inv_event_fd; under table->lock */
	struct inv_event *next;        /* in its chain of table->handles */
};

/* The handle of a registration, made or counted up. NULL: no memory. Under table->lock. */
inv_event *event_handle(inv_table *table, struct slot_ref ref, const uint8_t id[16], bool owned);

/* Find the id and give a handle. As inv_event_find. */
int event_handle_find(inv_table *table, const uint8_t id[16], inv_event **out);

/* One more handle of the same. */
void event_handle_keep(inv_event *event);

/* Closing, or in a forked child: every handle answers -ESTALE from now on. */
void event_handles_disown(inv_table *table, bool forked);

/* The registration that a handle stands for is over or not this process's to use: -ESTALE;
 * else 0 and the word. */
int event_word_of(const inv_event *event, uint64_t *word);

/* The same, for what is no hot path: without a broker it is up to whoever calls to see that
 * the owner is dead. */
int event_living_word_of(const inv_event *event, uint64_t *word);

/* Note a look of the action. */
void last_check_note(inv_table *table, struct slot_ref ref);

/* Has it looked since it was registered? The time of day of the last one, or 0. */
int64_t last_check_time_ns(const inv_table *table, struct slot_ref ref);

/* After a slice of waiting: is there still somebody behind it? 0 or -ESTALE. */
int event_still_alive(inv_table *table, struct slot_ref ref);

/* Stop and free what inv_event_fd started. */
void event_watcher_stop(struct event_watcher *watcher);

/* The same in a forked child, where its thread does not exist. */
void event_watcher_abandon(struct event_watcher *watcher);

#endif

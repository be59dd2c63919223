/*
 * Handles on events, private to this process: see handle.c.
 */
#ifndef HANDLE_H
#define HANDLE_H

#include "table/slot.h"

/* What ends with its handle, such as the thread behind inv_event_fd. */
struct handle_attachment {
	/* Stop and free it. forked: in a forked child, where its thread does not exist. */
	void (*end)(struct handle_attachment *attachment, bool forked);
};

/*
 * One per registration and process, counted. A check compares the event word with seen: the
 * last value that was of this generation and without a request. While they agree there is
 * nothing to do. Whatever changes (a request, the end, the next tenant, a fork, a closed
 * table) makes them differ.
 */
struct inv_event {
	_Atomic(shared_u64 *) word;    /* in the segment; &spoilt_word once disowned */
	_Atomic uint64_t seen;         /* never 0 */
	_Atomic uint32_t until_sample; /* checks until the next is noted as the last one */
	struct slot_ref ref;
	uint8_t id[16];
	inv_table *table;      /* NULL: disowned */
	_Atomic bool disowned; /* by fork or close: every call answers -ESTALE */
	bool owned;     /* this process registered it, without begin: the last put frees it */
	unsigned count; /* of handles given out; under table->lock */
	struct handle_attachment *attachment; /* or NULL; under table->lock */
	struct inv_event *next;               /* in its chain of table->handles */
};

/* The handle of a registration, made or counted up. NULL: no memory. Under table->lock. */
inv_event *event_handle(inv_table *table, struct slot_ref ref, const uint8_t id[16], bool owned);

/* The table that the caller means (NULL: the default), and where the id is in it. 0; -ENOENT; or as
 * inv_open. */
int table_find(inv_table **table, const uint8_t id[16], struct slot_ref *ref, uint64_t *word);

/* Find the id and give a handle. As inv_event_find. */
int event_handle_find(inv_table *table, const uint8_t id[16], inv_event **out);

/* One more handle of the same. */
void event_handle_keep(inv_event *event);

/* Closing: every handle answers -ESTALE from now on. */
void event_handles_disown(inv_table *table);

/* The registration of a handle is over, or this process must not use it: -ESTALE; else 0 and
 * the word. */
int event_word_of(const inv_event *event, uint64_t *word);

#endif

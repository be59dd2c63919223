/* Handles on events: see handle.h. */
#include "api/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/fork.h"
#include "protocol/log.h"
#include "protocol/sweep.h"
#include "table/event_word.h"
#include "table/lease.h"

enum { NEVER_SEEN = 1 }; /* set without a generation: no word is ever that */

/* The word of a disowned handle: it agrees with no value of seen. */
static shared_u64 spoilt_word;

static inv_event **chain_of(inv_table *table, uint32_t index)
{
	return &table->handles[index & (table->handle_chains - 1)];
}

/* As many chains as handles, so that a process that owns a million events finds each
 * as fast as one that owns ten. Without memory the chains get longer. */
static void have_chains(inv_table *table)
{
	uint32_t old_count = table->handle_chains;
	inv_event **old = table->handles;

	if (table->handle_count < old_count)
		return;
	inv_event **chains = calloc((size_t)old_count * 2, sizeof(*chains));
	if (!chains)
		return;
	table->handles = chains;
	table->handle_chains = old_count * 2;
	for (uint32_t i = 0; i < old_count; i++) {
		for (inv_event *event = old[i], *next; event; event = next) {
			inv_event **chain = chain_of(table, event->ref.index);
			next = event->next;
			event->next = *chain;
			*chain = event;
		}
	}
	if (old != table->first_handles)
		free(old);
}

inv_event *event_handle(inv_table *table, struct slot_ref ref, const uint8_t id[16], bool owned)
{
	inv_event **chain = chain_of(table, ref.index);

	for (inv_event *event = *chain; event; event = event->next) {
		if (event->ref.index == ref.index && event->ref.generation == ref.generation &&
		    memcmp(event->id, id, 16) == 0) {
			event->count++;
			return event;
		}
	}
	inv_event *event = malloc(sizeof(*event));
	if (!event)
		return NULL;
	atomic_init(&event->word, &table->event[ref.index]);
	atomic_init(&event->seen, NEVER_SEEN);
	atomic_init(&event->until_sample, 0);
	atomic_init(&event->disowned, false);
	event->ref = ref;
	memcpy(event->id, id, 16);
	event->table = table;
	event->owned = owned;
	event->count = 1;
	event->attachment = NULL;
	have_chains(table);
	chain = chain_of(table, ref.index);
	event->next = *chain;
	*chain = event;
	table->handle_count++;
	return event;
}

int table_find(inv_table **table, const uint8_t id[16], struct slot_ref *ref, uint64_t *word)
{
	int error = table_resolve(*table, false, table);

	return error ? error : slot_find(*table, id, ref, word);
}

int event_handle_find(inv_table *table, const uint8_t id[16], inv_event **out)
{
	struct slot_ref ref;
	uint64_t word;
	int error = slot_find(table, id, &ref, &word);

	if (error)
		return error;
	/* Without a broker the caller itself must find that the owner is dead. */
	if (!table_broker_watches_lately(table) && sweep_slot(table, ref.index))
		word = slot_word(table, ref);
	if (word == 0)
		return -ENOENT;
	if (control_state(word) != SLOT_LIVE)
		return -ESTALE;
	pthread_mutex_lock(&table->lock);
	*out = event_handle(table, ref, id, false);
	pthread_mutex_unlock(&table->lock);
	return *out ? 0 : -ENOMEM;
}

void event_handle_keep(inv_event *event)
{
	inv_table *table = event->table;

	if (table)
		pthread_mutex_lock(&table->lock);
	event->count++;
	if (table)
		pthread_mutex_unlock(&table->lock);
}

static void unchain(inv_table *table, inv_event *event)
{
	inv_event **link = chain_of(table, event->ref.index);

	while (*link && *link != event)
		link = &(*link)->next;
	if (*link) {
		*link = event->next;
		table->handle_count--;
	}
}

/* The last handle of an event or context that this process registered is gone. */
static void release_owned(inv_table *table, struct slot_ref ref, const uint8_t id[16])
{
	uint64_t word = slot_word(table, ref);

	if (control_state(word) != SLOT_LIVE || control_owner(word) != table->owner)
		return;
	if (atomic_load(&table->slots[ref.index].flags) & SLOT_HAS_LOG)
		log_remove(table, id);
	if (slot_release(table, ref.index, word))
		table->owned--;
}

void inv_event_put(inv_event *event)
{
	if (!event)
		return;
	inv_table *table = event->table;
	if (table)
		pthread_mutex_lock(&table->lock);
	bool last = --event->count == 0;
	if (last && table && !atomic_load(&event->disowned)) {
		unchain(table, event);
		if (event->owned)
			release_owned(table, event->ref, event->id);
	}
	if (table)
		pthread_mutex_unlock(&table->lock);
	if (!last)
		return;
	if (event->attachment)
		event->attachment->end(event->attachment, false);
	free(event);
}

static void disown(inv_table *table, bool forked)
{
	for (uint32_t i = 0; i < table->handle_chains; i++) {
		for (inv_event *event = table->handles[i]; event; event = event->next) {
			atomic_store(&event->disowned, true);
			atomic_store(&event->seen, NEVER_SEEN);
			atomic_store(&event->word, &spoilt_word);
			if (event->attachment)
				event->attachment->end(event->attachment, forked);
			event->attachment = NULL;
			event->table = NULL;
		}
		table->handles[i] = NULL;
	}
	table->handle_count = 0;
}

void event_handles_disown(inv_table *table)
{
	disown(table, false);
}

static void disown_after_fork(inv_table *table)
{
	disown(table, true);
}

static void disown_all(void)
{
	table_each_attached(disown_after_fork);
}

FORK_HANDLER(.order = FORK_HANDLES, .in_child = disown_all)

int event_word_of(const inv_event *event, uint64_t *word)
{
	*word = 0;
	/* The id too: a generation returns after 2^32 tenants of one slot. */
	if (atomic_load(&event->disowned) ||
	    !slot_has_id(event->table, event->ref.index, event->id))
		return -ESTALE;
	*word = event_word_load(event->table, event->ref);
	return *word == 0 || *word & EVENT_ENDED ? -ESTALE : 0;
}

void inv_event_id(const inv_event *event, uint8_t id[16])
{
	memcpy(id, event->id, 16);
}

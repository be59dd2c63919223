/*
 * Retiring: freeing the slots of what ended longer ago than it is kept.
 *
 * A finished invocation with a live descendant stays, because it ties that to what is above it. So
 * a pass has two halves: the first goes through all slots and marks the ancestors of those that
 * live, and the second frees what is due and not marked. Each ancestor is marked once, so a
 * pass takes a time in proportion to the table, whatever is nested in it.
 *
 * A pass may be cut into turns, and invocations start and end between them. What is due ended
 * before the pass began, so nothing can be registered below it directly any more. Below a
 * descendant that lived at that time something can, in a slot that was passed already, before
 * that descendant ends: so one that has ended since the pass began counts as live.
 */
#include "api/broker.h"

#include <errno.h>
#include <stdlib.h>

#include "os/clock.h"
#include "table/index.h"
#include "table/slot.h"
#include "table/text.h"

enum { CLOCK_EVERY = 256 }; /* slots between two readings of the clock */
#define AGAIN_NS INT64_C(10000000000)

static bool marked(const struct broker_retirement *pass, uint32_t index)
{
	return pass->marks[index / 64] >> (index % 64) & 1;
}

static bool begin(inv_table *table, struct broker_retirement *pass)
{
	pass->marks = calloc((table->geometry.slots + 63) / 64, sizeof(uint64_t));
	pass->index = 0;
	pass->freeing = false;
	pass->began_ns = clock_monotonic_ns();
	pass->next_ns = INV_FOREVER;
	return pass->marks != NULL;
}

static bool lives(const inv_table *table, const struct broker_retirement *pass, uint32_t index)
{
	uint64_t word = atomic_load_explicit(&table->control[index], memory_order_acquire);

	return control_state(word) == SLOT_LIVE ||
	       (control_state(word) == SLOT_DONE &&
	        atomic_load(&table->slots[index].completed_monotonic_ns) > pass->began_ns);
}

static void mark_ancestors(const inv_table *table, struct broker_retirement *pass, uint32_t index)
{
	struct slot_ref ref = {.index = index}, parent;

	if (!lives(table, pass, index))
		return;
	/* Each turn of this marks one more slot, so forged references can't make it endless. */
	while (slot_parent(table, ref, &parent) && slot_word(table, parent) != 0 &&
	       !marked(pass, parent.index)) {
		pass->marks[parent.index / 64] |= UINT64_C(1) << (parent.index % 64);
		pass->steps++;
		ref = parent;
	}
}

static void call_again(struct broker_retirement *pass, int64_t due_ns)
{
	if (pass->next_ns < 0 || due_ns < pass->next_ns)
		pass->next_ns = due_ns;
}

/* true: it is freed. Only the broker frees what has ended, so its files go first: after that the id
 * may be another run's at any time. */
static bool free_if_due(inv_table *table, struct broker_retirement *pass, uint32_t index,
                        int64_t retain_ns, void (*forget)(const uint8_t id[16], void *), void *arg)
{
	uint8_t id[16];
	uint64_t word = atomic_load_explicit(&table->control[index], memory_order_acquire);

	if (control_state(word) != SLOT_DONE)
		return false;
	int64_t began_ns = pass->began_ns;
	int64_t ended_ns = atomic_load(&table->slots[index].completed_monotonic_ns);
	/* Only damage ends in the future. */
	if (ended_ns > began_ns && ended_ns > clock_monotonic_ns())
		ended_ns = began_ns;
	int64_t due_ns = ended_ns + retain_ns;
	if (due_ns <= began_ns && marked(pass, index))
		due_ns = began_ns + AGAIN_NS;
	if (due_ns > began_ns) {
		call_again(pass, due_ns);
		return false;
	}
	words_load(table->ids[index].half, 2, id);
	forget(id, arg);
	return slot_release(table, index, word);
}

static bool turn_is_over(const struct broker_retirement *pass, bool freed, int64_t until_ns)
{
	return until_ns >= 0 && (freed || pass->index % CLOCK_EVERY == 0) &&
	       clock_monotonic_ns() >= until_ns;
}

bool broker_retire(inv_table *table, struct broker_retirement *pass, int64_t retain_ns,
                   int64_t until_ns, void (*forget)(const uint8_t id[16], void *), void *arg)
{
	uint32_t extent = index_extent(table);

	if (!pass->marks && !begin(table, pass)) {
		pass->next_ns = clock_monotonic_ns() + AGAIN_NS;
		return false;
	}
	for (;;) {
		if (pass->index >= extent && pass->freeing)
			break;
		if (pass->index >= extent) {
			pass->freeing = true;
			pass->index = 0;
		}
		bool freed = pass->freeing &&
		             free_if_due(table, pass, pass->index, retain_ns, forget, arg);
		if (!pass->freeing)
			mark_ancestors(table, pass, pass->index);
		pass->index++;
		pass->steps++;
		if (turn_is_over(pass, freed, until_ns))
			return true;
	}
	free(pass->marks);
	pass->marks = NULL;
	return false;
}

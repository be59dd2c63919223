/*
 * The progress of an action.
 *
 * Several processes of an action may report it at once, so the word is a lock that can be
 * broken: | generation 32 | sequence 31 | writing 1 |. A writer makes it odd, writes, and
 * makes it even; a writer that finds it odd (the other is killed, or slow) takes it over with
 * the next odd number. A reader uses what it reads between two reads of the same even word.
 *
 * A slow writer finds at its end that it was overtaken. It may have written into what the other
 * has stored since, so it writes a second time: what comes last is whole.
 * Only where it is killed before that the two may stay mixed, until the next progress.
 */
#include "protocol/progress.h"

#include <errno.h>

#include "table/event_word.h"
#include "table/slot.h"
#include "table/text.h"

enum { STEPS_PER_PERCENT = 500, STORE_TRIES = 16, LOAD_TRIES = 100 };

static uint64_t next_odd(uint32_t generation, uint64_t seen)
{
	uint32_t sequence = event_generation(seen) == generation ? (uint32_t)seen : 0;

	return (uint64_t)generation << 32 | ((sequence + 1) | 1u);
}

/* false: it was overtaken. */
static bool write_once(struct slot *slot, uint32_t generation, double percent, const char *text)
{
	uint64_t seen = atomic_load(&slot->progress_word), writing;

	do
		writing = next_odd(generation, seen);
	while (!atomic_compare_exchange_weak(&slot->progress_word, &seen, writing));
	atomic_store_explicit(&slot->progress_percent,
	                      (uint16_t)(1 + (unsigned)(percent * STEPS_PER_PERCENT + 0.5)),
	                      memory_order_release);
	text_store(slot->progress_text, INV_PROGRESS_BYTES / 8, text);
	uint64_t done = (writing & ~(uint64_t)UINT32_MAX) | (uint32_t)(writing + 1);
	return atomic_compare_exchange_strong(&slot->progress_word, &writing, done);
}

int progress_store(inv_table *table, struct slot_ref ref, double percent, const char *text)
{
	/* Until no other writer has come in between, or the slot has its next tenant. */
	for (int tries = 0; tries < STORE_TRIES; tries++) {
		if (slot_word(table, ref) == 0)
			return -ESTALE;
		if (write_once(&table->slots[ref.index], ref.generation, percent, text))
			break;
	}
	return 0;
}

double progress_load(const inv_table *table, struct slot_ref ref, char text[INV_PROGRESS_BYTES])
{
	const struct slot *slot = &table->slots[ref.index];

	for (int tries = 0; tries < LOAD_TRIES; tries++) {
		uint64_t word = atomic_load(&slot->progress_word);
		if (event_generation(word) != ref.generation)
			break;
		unsigned percent =
		        atomic_load_explicit(&slot->progress_percent, memory_order_acquire);
		text_load(slot->progress_text, INV_PROGRESS_BYTES / 8, text);
		if (word & 1 || atomic_load(&slot->progress_word) != word)
			continue;
		return percent >= 1 && percent <= 1 + 100 * STEPS_PER_PERCENT
		               ? (double)(percent - 1) / STEPS_PER_PERCENT
		               : -1;
	}
	/* There is none, or its writer is killed: none is better than half of one. */
	text[0] = '\0';
	return -1;
}

/*
 * How far an action is: inv_progress.
 *
 * Several processes of an action may tell at once, so the word is a lock of a kind
 * that can be broken: | generation 32 | sequence 31 | writing 1 |. A writer makes it
 * odd, writes, and makes it even; one that finds it odd (its writer is killed, or
 * slow) takes it over with the next odd number. Readers (info.c) take what they
 * read between two looks at the same even word.
 *
 * A writer that was slow finds at its end that it was overtaken. It may have written into
 * what the other has told since, so it writes a second time: what comes last is whole.
 * Only where it is killed before that the two may stay mixed, until the next progress.
 */
#include <errno.h>

#include "api/context.h"
#include "table/event_word.h"
#include "table/text.h"

enum { STEPS_PER_PERCENT = 1000, TRIES_MAX = 16 };

static uint64_t next_odd(uint32_t generation, uint64_t seen)
{
	uint32_t sequence = event_generation(seen) == generation ? (uint32_t)seen : 0;

	return (uint64_t)generation << 32 | ((sequence + 1) | 1u);
}

/* false: it was overtaken. */
static bool tell(struct slot *slot, uint32_t generation, double percent, const char *text)
{
	uint64_t seen = atomic_load(&slot->progress_word), writing;

	do
		writing = next_odd(generation, seen);
	while (!atomic_compare_exchange_weak(&slot->progress_word, &seen, writing));
	atomic_store_explicit(&slot->progress_percent,
	                      1 + (uint64_t)(percent * STEPS_PER_PERCENT + 0.5),
	                      memory_order_release);
	text_store(slot->progress_text, INV_PROGRESS_BYTES / 8, text);
	uint64_t done = (writing & ~(uint64_t)UINT32_MAX) | (uint32_t)(writing + 1);
	return atomic_compare_exchange_strong(&slot->progress_word, &writing, done);
}

int inv_progress(double percent, const char *text)
{
	inv_event *event;
	uint64_t word;
	int error = context_event(&event);

	/* Written so that not-a-number is refused too. */
	if (!(percent >= 0 && percent <= 100))
		return -EINVAL;
	/* Until nobody has come in between; or the slot has its next tenant. */
	for (int tries = 0; !error && tries < TRIES_MAX; tries++) {
		error = event_word_of(event, &word);
		if (!error && tell(&event->table->slots[event->ref.index], event->ref.generation,
		                   percent, text))
			break;
	}
	return error;
}

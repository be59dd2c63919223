/*
 * How far an action is: inv_progress.
 *
 * Several processes of an action may tell at once, so the word is a lock of a kind
 * that can be broken: | generation 32 | sequence 31 | writing 1 |. A writer makes it
 * odd, writes, and makes it even; one that finds it odd (its writer is killed, or
 * slow) takes it over with the next odd number. Readers (info.c) take what they
 * read between two looks at the same even word.
 */
#include <errno.h>

#include "context.h"
#include "event_word.h"
#include "text.h"

enum { STEPS_PER_PERCENT = 1000 };

static uint64_t next_odd(uint32_t generation, uint64_t seen)
{
	uint32_t sequence = event_generation(seen) == generation ? (uint32_t)seen : 0;

	return (uint64_t)generation << 32 | ((sequence + 1) | 1u);
}

int inv_progress(double percent, const char *text)
{
	inv_event *event;
	uint64_t word;
	int error = context_event(&event);

	/* Written so that not-a-number is refused too. */
	if (!(percent >= 0 && percent <= 100))
		return -EINVAL;
	if (!error)
		error = event_word_of(event, &word);
	if (error)
		return error;
	struct slot *slot = &event->table->slots[event->ref.index];
	uint64_t seen = atomic_load(&slot->progress_word), writing;
	do
		writing = next_odd(event->ref.generation, seen);
	while (!atomic_compare_exchange_weak(&slot->progress_word, &seen, writing));
	atomic_store_explicit(&slot->progress_percent,
	                      1 + (uint64_t)(percent * STEPS_PER_PERCENT + 0.5),
	                      memory_order_release);
	text_store(slot->progress_text, INV_PROGRESS_BYTES / 8, text);
	uint64_t done = (writing & ~(uint64_t)UINT32_MAX) | (uint32_t)(writing + 1);
	atomic_compare_exchange_strong(&slot->progress_word, &writing, done);
	return 0;
}

/*
 * News for the broker: see news.h.
 *
 * Teller: count up, then look whether a wake is wanted. Broker: say that one is
 * wanted, then look at the count, then sleep on it. Both orders are sequentially
 * consistent, so one of the two sees the other (as in a Dekker lock). Only the
 * broker takes back that it wants a wake: a teller that did so, and was late, would
 * take it from the broker's next sleep, and the next teller would not wake it. A
 * teller killed before its wake leaves a count that nobody tells the broker of: the
 * broker sleeps in slices, and looks again at the end of each.
 */
#include "news.h"

#include "clock.h"
#include "futex.h"
#include "slot.h"

void news_tell(inv_table *table)
{
	atomic_fetch_add(&table->header->news, 1);
	if (atomic_load(&table->header->news_wanted) != 0)
		futex_wake_all(&table->header->news);
}

/* The asker changes the slot, then looks who owns it; the broker takes it over, then
 * looks what was asked of it. One of the two sees the other. */
void news_asked(inv_table *table, uint32_t index)
{
	uint64_t broker = atomic_load(&table->header->broker_owner);

	if (broker != 0 && control_owner(atomic_load(&table->control[index])) == broker)
		news_tell(table);
}

void news_wait(inv_table *table, uint32_t *seen)
{
	for (;;) {
		atomic_store(&table->header->news_wanted, 1);
		uint32_t now = atomic_load(&table->header->news);
		if (now != *seen) {
			atomic_store(&table->header->news_wanted, 0);
			*seen = now;
			return;
		}
		futex_wait(&table->header->news, now, clock_monotonic_ns() + WAIT_SLICE_NS);
	}
}

/*
 * News for the broker: see news.h.
 *
 * Teller: count up, then look whether a wake is wanted. Broker: say that one is
 * wanted, then look at the count, then sleep on it. Both orders are sequentially
 * consistent, so one of the two sees the other (as in a Dekker lock). Only the
 * broker takes back that it wants a wake: a teller that did so, and was late, would
 * take it from the broker's next sleep, and the next teller would not wake it.
 *
 * The broker sleeps without an end, so that nothing wakes it where nothing happens.
 * A SIGKILL of a teller between its count and its wake leaves it asleep; what the news
 * was decides why nobody misses it:
 *
 *   an owner enters        it tells while its entry is CLAIMED, when it can't own anything
 *                          yet (owner.c). Before the wake: nothing is owned, and the next
 *                          look frees the entry. After it: the broker finds the entry,
 *                          CLAIMED or ACTIVE, and watches its process from there on
 *   something has ended    its owner tells, and is watched: its death wakes the broker.
 *                          Where a sweeper tells, the owner has died. Once the broker
 *                          has swept after a dead owner it tells itself
 *   an orphan was asked    anybody may ask, watched or not. The broker looks at its
 *                          orphans once a slice, as any supervisor does
 *
 * An owner that can't be watched for want of descriptors is looked after all the time.
 */
#include "table/notification.h"

#include "os/futex.h"
#include "table/slot.h"

void notify_broker(inv_table *table)
{
	atomic_fetch_add(&table->header->change_counter, 1);
	if (atomic_load(&table->header->wake_wanted) != 0)
		futex_wake_all(&table->header->change_counter);
}

/* The asker changes the slot, then looks who owns it; the broker takes it over, then
 * looks what was asked of it. One of the two sees the other. */
void notify_request(inv_table *table, uint32_t index)
{
	uint64_t broker = atomic_load(&table->header->broker_owner);

	if (broker != 0 && control_owner(atomic_load(&table->control[index])) == broker)
		notify_broker(table);
}

void notification_wait(inv_table *table, uint32_t *seen)
{
	for (;;) {
		atomic_store(&table->header->wake_wanted, 1);
		uint32_t now = atomic_load(&table->header->change_counter);
		if (now != *seen) {
			atomic_store(&table->header->wake_wanted, 0);
			*seen = now;
			return;
		}
		futex_wait(&table->header->change_counter, now, -1);
	}
}

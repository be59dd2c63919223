/*
 * The change counter: see notification.h.
 *
 * A notifier counts up, then checks whether a wake is wanted. The broker marks that a wake is
 * wanted, then reads the counter, then sleeps on it. Both orders are sequentially
 * consistent, so one of the two sees the other (as in Dekker's lock). Only the
 * broker clears the mark: a late notifier that did so would clear the mark of the broker's
 * next sleep, and the next notifier would not wake it.
 *
 * The broker sleeps without a limit, so that nothing wakes it where nothing happens.
 * A SIGKILL of a notifier between its count and its wake leaves the broker asleep. Nothing is
 * missed all the same:
 *
 *   an owner enters        it notifies while its entry is CLAIMED, when it can't own anything
 *                          yet (owner.c). Killed before the wake: nothing is owned, and the next
 *                          sweep frees the entry. After it: the broker finds the entry,
 *                          CLAIMED or ACTIVE, and watches its process from there on
 *   something has ended    its owner notifies, and is watched: its death wakes the broker.
 *                          Where a sweeper notifies, the owner has died. Once the broker
 *                          has swept after a dead owner it notifies itself
 *   a request of an orphan any process may make it, watched or not. The broker checks its
 *                          orphans once a slice, as any supervisor does
 *
 * An owner that can't be watched for want of descriptors is checked periodically.
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

/* The requester changes the slot, then reads who owns it; the broker takes it over, then
 * reads its requests. One of the two sees the other. */
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

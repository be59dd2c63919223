/*
 * Notifying the broker of a change, without waiting for it: the change counter in the header,
 * on which the broker sleeps. Costs a wake only while the broker sleeps.
 */
#ifndef NOTIFICATION_H
#define NOTIFICATION_H

#include "table/table.h"

void notify_broker(inv_table *table);

/* A request was made of the invocation in this slot. Notifies the broker where that is its
 * supervisor; any other supervisor sleeps on the slot's own words. */
void notify_request(inv_table *table, uint32_t index);

/* The broker's side: sleep until the counter differs from *seen, and update that. Not in
 * slices: see notification.c. */
void notification_wait(inv_table *table, uint32_t *seen);

#endif

/*
 * Telling the broker that there is something new, without waiting for it: a
 * counter in the header that the broker sleeps on. Costs the teller a wake only
 * while the broker sleeps and wants one.
 */
#ifndef NOTIFICATION_H
#define NOTIFICATION_H

#include "table/table.h"

void notify_broker(inv_table *table);

/* The invocation in this slot was asked something. Where the broker is its supervisor, tell
 * it; any other supervisor sleeps on the slot's own words. */
void notify_request(inv_table *table, uint32_t index);

/* The broker's side: sleep until there is news since *seen. Not in slices: see news.c. */
void notification_wait(inv_table *table, uint32_t *seen);

#endif

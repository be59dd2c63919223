/* An operator's stop sign on a table: see hold.c. */
#ifndef HOLD_H
#define HOLD_H

#include "table/table.h"

/* Nothing new may start. */
static inline bool hold_stands(const inv_table *table)
{
	return atomic_load(&table->header->hold.word) & 1;
}

/* Put it up, or give it another note (may be NULL). */
void hold_put(inv_table *table, const char *note);

/* Take it down. false: there was none. */
bool hold_release(inv_table *table);

/* Note (as the reason), actor and time of the hold that stands. false: there is none. */
bool hold_read(const inv_table *table, struct inv_request *hold);

/* A record in which that hold stands, for a table that is yet to be made. */
void hold_restore(struct request_record *record, const struct inv_request *hold);

/* Sleep while it stands, until until_ns (monotonic; -1: forever), a slice at most. 0; -EINTR. */
int hold_wait(const inv_table *table, int64_t until_ns);

#endif

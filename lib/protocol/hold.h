/* An operator's stop sign on a table: see hold.c. */
#ifndef HOLD_H
#define HOLD_H

#include "table/table.h"

/* Nothing new may start. */
static inline bool hold_stands(const inv_table *table)
{
	return atomic_load(&table->header->hold.word) & 1;
}

/* Put it up, or give it another note (may be NULL). time_ns: when it was put up; 0: now. */
void hold_put(inv_table *table, const char *note, int64_t time_ns);

/* Take it down. false: there was none. */
bool hold_release(inv_table *table);

/* Note (as the reason), actor and time of the hold that stands. false: there is none. */
bool hold_read(const inv_table *table, struct inv_request *hold);

/* Sleep while it stands, until until_ns (monotonic; -1: forever), a slice at most. */
void hold_wait(const inv_table *table, int64_t until_ns);

#endif

/* The last check of an action: see last_check.c. */
#ifndef LAST_CHECK_H
#define LAST_CHECK_H

#include "table/table.h"

/* Note a check, now. */
void last_check_note(inv_table *table, struct slot_ref ref);

/* The time of day of the last one; 0: there was none, so that the action is not cooperative. */
int64_t last_check_time_ns(const inv_table *table, struct slot_ref ref);

/* The action has checked since it started, or `run --cooperative` says that it does. */
bool action_is_cooperative(const inv_table *table, struct slot_ref ref);

#endif

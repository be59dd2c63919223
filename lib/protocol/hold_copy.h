/* The broker's copy of the hold, in its state directory: see hold_copy.c. */
#ifndef HOLD_COPY_H
#define HOLD_COPY_H

#include "table/table.h"

/* The copy shows the hold as it is in the table. */
bool hold_is_stored(const inv_table *table);

/* Wait for that, until until_ns (monotonic; -1: forever), a slice at most. 0; -EINTR. */
int hold_await_stored(const inv_table *table, int64_t until_ns);

/* Of the broker alone: write or remove the copy, where it does not show the hold as it is. 0;
 * -EAGAIN the hold was changing; -errno the copy is as it was: call again later. */
int hold_copy_keep(inv_table *table);

enum hold_copy { HOLD_COPY_NONE, HOLD_COPY_WHOLE, HOLD_COPY_UNUSABLE };

/* The hold that a table of that name must have from the start. UNUSABLE: a hold was stored, and
 * can't be read: *hold stands, and its note says so. */
enum hold_copy hold_copy_read(const char *table_name, struct request_record *hold);

#endif

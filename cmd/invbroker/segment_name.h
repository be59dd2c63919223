/*
 * The name of the table's segment in /dev/shm. Its removal is reported, and harms nothing.
 */
#ifndef SEGMENT_NAME_H
#define SEGMENT_NAME_H

#include <stdbool.h>

#include "api/broker.h"

/* Watch the name of this table's segment in the loop. 0, or -errno: it is not watched, and all
 * else goes on. */
int segment_name_watch(inv_table *table);

/* There is something under /dev/shm/NAME. */
bool segment_name_exists(const char *table_name);

/* What is under /dev/shm/NAME is this very table. */
bool segment_name_is_ours(inv_table *table);

/* Remove the segment's name, if it is this table's still and the table is not in use: nothing
 * lives or is kept in it, and no other process has entered it. true: it is removed. */
bool segment_name_remove(inv_table *table);

#endif

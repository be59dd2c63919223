/*
 * Watching the segment's name: whoever removes it harms nobody, but is told of.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>

#include "api/broker.h"

/* Watch the name of this table's segment in the loop. 0, or -errno: it goes
 * unwatched, and the table is served all the same. */
int names_watch(inv_table *table);

/* Whether /dev/shm/NAME is this very table. */
bool names_is_ours(inv_table *table);

/* Remove the segment's name, if it is this table's still, unless something lives or is kept
 * in the table, or another process is entered in it. true: it is removed. */
bool names_remove(inv_table *table);

#endif

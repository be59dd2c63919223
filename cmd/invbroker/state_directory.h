/*
 * The broker's side of the state directory: its log, and files that have grown old.
 */
#ifndef STATE_DIRECTORY_H
#define STATE_DIRECTORY_H

#include <stddef.h>

#include "api/broker.h"

/* The directory of a table's files, which is made. 0, or as inv_state_path. */
int state_directory(inv_table *table, char *path, size_t size);

/* Remove the logs and kept output of invocations that ended more than 30 days ago. */
void state_directory_clean(inv_table *table);

#endif

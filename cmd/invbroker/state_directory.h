/*
 * The broker's side of the state directory: where its log is.
 */
#ifndef STATE_DIRECTORY_H
#define STATE_DIRECTORY_H

#include <stddef.h>

#include "api/broker.h"

/* The directory of a table's files, which is made. 0, or as inv_state_path. */
int state_directory(inv_table *table, char *path, size_t size);

#endif

/*
 * The broker's log: one line for each notable event.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>

#include "api/broker.h"

/* Where the lines go: to stderr, or with in_state_directory to broker.log beside the table's
 * other files, where stderr is put as well. Where that file can't be opened they go to stderr. */
void report_open(inv_table *table, bool in_state_directory);

/* The directory of the table's files, which is made. 0, or as inv_state_path. */
int report_directory(inv_table *table, char *path, size_t size);

/* One sentence. errno is kept. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/* The progress of an action: see progress.c. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "table/table.h"

/* percent is from 0 to 100; text may be NULL. 0; -ESTALE. */
int progress_store(inv_table *table, struct slot_ref ref, double percent, const char *text);

/* Percent and text; negative: there is none. */
double progress_load(const inv_table *table, struct slot_ref ref, char text[INV_PROGRESS_BYTES]);

#endif

/* Sections of an action during which a request waits: see shield.c. */
#ifndef SHIELD_H
#define SHIELD_H

#include "table/table.h"

/* Does a shield of this registration, or of one that it is nested in, hold? */
bool shield_holds(const inv_table *table, struct slot_ref ref);

/* The calling process shields it. 0; -EAGAIN too many processes, or too deep; -ESTALE. */
int shield_begin(inv_table *table, struct slot_ref ref);

/* 0; -EINVAL it does not shield it. */
int shield_end(inv_table *table, struct slot_ref ref);

#endif

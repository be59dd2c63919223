/*
 * After fork() the child is not the owner of anything: its handles answer
 * -ESTALE and its contexts are left.
 */
#ifndef FORK_H
#define FORK_H

#include "table/table.h"

/* Differs in a forked child from what it was in the parent. */
unsigned fork_generation(void);

/* An attached table, for the child to disown. */
void fork_watch(inv_table *table);
void fork_unwatch(inv_table *table);

#endif

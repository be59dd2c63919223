/* Signalling a program that is itself an action, and so has no supervisor: see program.c. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "table/slot.h"

/* Signal the owner of ref. 0; -ESTALE, -ESRCH it has gone; -EPERM it is not the caller's, does
 * not use the table, or the table is shared. */
int program_signal(inv_table *table, struct slot_ref ref, int signum);

#endif

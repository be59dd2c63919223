/* Signalling a program that is itself an action, and so has no supervisor: see program.c. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "table/slot.h"

/* What somebody wants to be signalled: the invocation of that id, which is that slot,
 * and what is nested in it. */
struct target {
	const uint8_t *id;
	struct slot_ref ref;
};

/* Signal the owner of ref, which is the target itself or was found as nested in it.
 * 0; -ESTALE, -ESRCH it has gone; -EPERM it is not the caller's, or does not bear out
 * what the table says of it. */
int program_signal(inv_table *table, struct slot_ref ref, const struct target *target, int signum);

#endif

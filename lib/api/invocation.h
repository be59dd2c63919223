/* Invocations of this process: see invocation.c. */
#ifndef INVOCATION_H
#define INVOCATION_H

#include "api/run.h"

/* Registered, but not the current invocation of any thread yet. As inv_invocation_begin. */
int invocation_register(inv_table *table, const uint8_t *id, const char *name,
                        inv_invocation **out);

/* Enter its context, in the calling thread. 0, -ENOMEM. */
int invocation_enter(inv_invocation *invocation);

/* Where a live invocation is. flags: of inv_cancel. 0; -ENOENT; -EALREADY it has ended; -EPERM
 * INV_CANCEL_KILL, and it refuses that. */
int invocation_find_live(inv_table *table, const uint8_t id[16], unsigned flags,
                         struct slot_ref *ref);

#endif

/* Which invocation is the calling thread in? See context.c. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "api/event.h"

/* The current event, not counted up: of the innermost context, else of INVCTL_ID.
 * 0; -ENXIO outside any; -ENOENT, -ESTALE: INVCTL_ID names none, or an ended one;
 * -EINVAL: INVCTL_ID is no UUID. */
int context_event(inv_event **event);

/* Push a context around an event whose handle is taken over. NULL: no memory. */
inv_context *context_push(inv_event *event);

/* Leave it in whatever order or thread; used where an invocation ends. */
void context_drop(inv_context *context);

/* The innermost context entered by a call, as the parent of what is registered now,
 * or that of INVCTL_ID. false: none, or it does not live. */
bool context_parent(inv_table *table, uint8_t id[16], struct slot_ref *ref, bool *known);

/* Around a fork, and in the child. */
void context_fork_lock(void);
void context_fork_unlock(void);
void context_leave_all(void);

#endif

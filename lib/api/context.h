/* Which invocation is the calling thread in? See context.c. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "api/handle.h"
#include "os/environment.h"

struct inv_context {
	inv_event *event;
	struct inv_context *outer;
	pthread_t thread;
	unsigned process;
	_Atomic int holders; /* the stack and the caller: the last one frees */
	_Atomic bool left;
};

/* The top of this thread's stack, perhaps left by another thread since; NULL: none. */
extern _Thread_local inv_context *context_innermost;

/* What INVCTL_ID named, and where it stood in the environment. */
struct context_environment {
	inv_event *event;
	struct variable_place place;
	struct context_environment *former; /* not freed: another thread may be using it.
	                                     * INVCTL_ID seldom changes within a process. */
};
extern _Atomic(struct context_environment *) context_environment;

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

#endif

/* Cancelling: an invocation, and all that is nested in it. See cascade.c. */
#ifndef CASCADE_H
#define CASCADE_H

#include "protocol/request.h"

/* Call each for every live descendant, at any depth. 0; -ENOMEM, and it was called for none. */
int cascade_each(inv_table *table, struct slot_ref ref,
                 void (*each)(inv_table *table, struct slot_ref ref, void *arg), void *arg);

/* What goes beyond the request: for the supervisor, or for the program itself where there is
 * none. */
struct escalation_steps {
	unsigned steps; /* ESCALATE_KILL, ESCALATE_SIGNAL; 0: none */
	int signum;     /* of ESCALATE_SIGNAL; 0: the usual one */
};

/* Make the request to each of these, and pass it on to the descendants as cause "parent"; one that
 * is both is one of these. results: for each 0; -EALREADY its command has ended (SIGKILL goes all
 * the same, and is 0); -ESTALE; -EPERM its process is not the caller's to
 * signal (the request is made all the same). 0; -ENOMEM it was not passed on. */
int cascade_request(inv_table *table, const struct slot_ref *refs, size_t count,
                    const struct request *request, bool only, const struct escalation_steps *more,
                    int *results);

#endif

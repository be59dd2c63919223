/* Cancelling: an invocation, and all that is nested in it. See cascade.c. */
#ifndef CASCADE_H
#define CASCADE_H

#include "request.h"

/* Call each for every live descendant, at any depth. */
void cascade_each(inv_table *table, struct slot_ref ref,
                  void (*each)(inv_table *table, struct slot_ref ref, void *arg), void *arg);

/* What more is asked of a supervisor than the request: ASK_KILL, ASK_SIGNAL. */
void cascade_ask(inv_table *table, struct slot_ref ref, unsigned flags, int signum);

/* Make the request, and pass it on to the descendants as cause "parent". 0, -ESTALE. */
int cascade_request(inv_table *table, struct slot_ref ref, const struct request *request,
                    bool only, unsigned asks, int signum);

#endif

/* Cancelling: an invocation, and all that is nested in it. See cascade.c. */
#ifndef CASCADE_H
#define CASCADE_H

#include "request.h"

/* Call each for every live descendant, at any depth. */
void cascade_each(inv_table *table, struct slot_ref ref,
                  void (*each)(inv_table *table, struct slot_ref ref, void *arg), void *arg);

/* What more is asked than the request: ASK_KILL, ASK_SIGNAL, of the supervisor, or of the
 * program itself where there is none. 0; -EPERM its process is not the caller's to signal. */
int cascade_ask(inv_table *table, struct slot_ref ref, unsigned asks, int signum);

/* Make the request, and pass it on to the descendants as cause "parent". 0, -ESTALE,
 * -EPERM as cascade_ask (the requests are made all the same). */
int cascade_request(inv_table *table, struct slot_ref ref, const struct request *request, bool only,
                    unsigned asks, int signum);

#endif

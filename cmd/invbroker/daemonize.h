/*
 * Leaving the caller: a process of its own session, with none of the caller's
 * descriptors.
 */
#ifndef DAEMONIZE_H
#define DAEMONIZE_H

#include "invbroker/readiness.h"

/*
 * Fork. The parent waits for the child's daemonize_ready, and gets *readiness;
 * returns -1. The child gets the descriptor for daemonize_ready, which is 3, and has no
 * others but stdin, stdout and stderr, all on /dev/null.
 */
int daemonize(struct readiness *readiness);

/* In the child: let the parent return with this. */
void daemonize_ready(int fd, const struct readiness *readiness);

#endif

/*
 * The broker's socket: it keeps a second broker of this user from making the same table, and
 * hands the table to newcomers when its name was removed.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <sys/types.h>

#include "api/broker.h"

/* Take the socket of a table's name, and listen. The descriptor; -EADDRINUSE another process
 * has it; or -errno. */
int handover_bind(const char *name);

/*
 * Connect to the process that has the socket of that name, a broker of the caller's own user.
 *   pid  of that process
 * The connection; -ECONNREFUSED it does not listen; -EPERM it is another user's; -EAGAIN its
 * queue is full; or -errno.
 */
int handover_connect(const char *name, pid_t *pid);

/* Wait for its answer. 0 it has the table; -ETIMEDOUT none yet; -ECONNRESET it has ended. */
int handover_answer(int connection, int patience_ms);

/* Answer clients in the loop from now on.
 *   gid  the group whose members may have the table as well; NULL: it is not shared
 * 0, or -errno. */
int handover_open(int listener, inv_table *table, const gid_t *gid);

#endif

/*
 * The broker's socket: it keeps a second broker away, and hands the table on to
 * those who find its name gone.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <sys/types.h>

#include "api/broker.h"

/*
 * Take the socket of a table's name, without listening yet.
 * The descriptor; -EADDRINUSE somebody has it; or -errno.
 */
int handover_bind(const char *name);

/*
 * Ask whoever has the socket of that name, for at most patience_ms.
 *   pid, uid  of who has it
 * 0 it is a broker of the caller's own, and serves; -ETIMEDOUT it does not answer;
 * -ECONNREFUSED, -ECONNRESET it is starting or has just ended; -EPERM it is
 * another user's, no broker of ours.
 */
int handover_ask(const char *name, int patience_ms, pid_t *pid, uid_t *uid);

/* Listen on the socket, and answer in the loop from now on.
 *   gid  whose members may have the table as well; NULL: it is not shared
 * 0, or -errno. */
int handover_serve(int listener, inv_table *table, const gid_t *gid);

#endif

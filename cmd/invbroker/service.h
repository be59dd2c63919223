/*
 * Serving a table, from the moment it is ours until a signal ends it.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "invbroker/options.h"
#include "invbroker/readiness.h"
#include "invbroker/startup.h"

/*
 * Prepare everything that serving needs: logs, loop, watches, and what a former
 * broker left. 0; -1 and *readiness tells why not.
 */
int service_open(const struct options *options, struct serving *serving,
                 struct readiness *readiness);

/* Serve until SIGTERM, SIGINT or SIGHUP. Returns what to exit with. */
int service_run(void);

/* Stop, with what service_run returned: a table in which something lives or is kept stays
 * for the next broker, another one loses its name and is gone with its last user. */
void service_close(const struct serving *serving, int status);

#endif

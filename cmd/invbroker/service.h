/*
 * The broker's work, from the lease to its end.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "invbroker/options.h"
#include "invbroker/readiness.h"
#include "invbroker/startup.h"

/*
 * Prepare the log, the loop and its sources, and take over what a former broker left. 0; -1
 * and *readiness tells why not.
 */
int service_open(const struct options *options, struct serving *serving,
                 struct readiness *readiness);

/* Run until SIGTERM, SIGINT or SIGHUP. Returns the exit status. */
int service_run(void);

/* End, with the status of service_run: a table in which something lives or is kept stays for the
 * next broker; another one loses its name, and is gone with its last user. */
void service_close(const struct serving *serving, int status);

#endif

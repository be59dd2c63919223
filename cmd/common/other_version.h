/*
 * What still runs in a table of another version of invctl, after an upgrade say: the table can't
 * be read, but the run files say which supervisors there are, and a SIGTERM to a supervisor is a
 * request. Only run files of the caller's own are believed, and only supervisors that are
 * verified to be the process that wrote them.
 */
#ifndef OTHER_VERSION_H
#define OTHER_VERSION_H

#include <stdint.h>
#include <sys/types.h>

#include "invctl.h"

struct supervised {
	uint8_t id[16];
	char name[INV_NAME_BYTES];
	pid_t supervisor;
	uint64_t supervisor_start;
};

/* Call each for every run of that table whose supervisor lives, until it returns other than 0.
 * Returns that, or 0. */
int other_version_each(const char *table, int (*each)(const struct supervised *run, void *arg),
                       void *arg);

/* Send its supervisor the SIGTERM that is a request. A pidfd of it; -ESRCH it has ended; -errno. */
int supervised_request(const struct supervised *run);

#endif

/* `run --wait-hold`. See wait_hold.c. */
#ifndef WAIT_HOLD_H
#define WAIT_HOLD_H

#include "common/command.h"
#include "invctl-supervisor.h"
#include "invctl/run_options.h"

struct hold_wait {
	int64_t until_ns; /* monotonic: when --timeout runs out; INV_FOREVER */
	int report_fd;    /* of detach.h; -1: not detached */
	bool said;
};

/* Wait until no hold stands. 0; -ESTALE the table is gone: open it anew; or an exit status after a
 * message. After a Ctrl-C this process dies by SIGINT. */
int wait_hold(const struct globals *globals, inv_table *table, const char *name,
              struct hold_wait *wait);

#endif

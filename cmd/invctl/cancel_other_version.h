/* invctl cancel, where the table is of another version: see common/other_version.h. */
#ifndef CANCEL_OTHER_VERSION_H
#define CANCEL_OTHER_VERSION_H

#include "common/command.h"
#include "invctl/selectors.h"

struct other_version_cancel {
	const struct selectors *selectors;
	bool wait;
	int64_t wait_ns;
	bool dry_run; /* print what is selected */
	bool more;    /* --signal, --kill or --only: not possible there */
};

/* Send SIGTERM to the supervisors of what is selected, or print what that is. Returns the exit
 * status. */
int cancel_other_version(const struct globals *globals, const struct other_version_cancel *cancel);

#endif

/*
 * What `invctl run` does before its command may start: find the parent, register,
 * publish the id, and store what a broker needs to carry on after this process.
 */
#ifndef REGISTRATION_H
#define REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "invctl-supervisor.h"
#include "invctl/command.h"
#include "invctl/run_options.h"

struct registration {
	int report; /* of detach.h, set by the caller; -1: not detached */
	inv_table *table;
	inv_invocation *invocation;
	uint8_t id[16];
	char run_path[4096]; /* of the run file; "": it was not written */
	uint8_t parent[16];  /* all zero: none */
	bool refused;        /* the parent's request is pending: it must not start */
};

/*
 * 0; or an exit status after a message: then nothing is registered, or it has been
 * recorded that it did not start.
 */
int registration_make(const struct globals *globals, const struct run_options *options,
                      struct registration *registration);

#endif

/* What the table has no room for: the command of an invocation, its directory, its output; and what
 * it waits for once its command has ended. */
#ifndef DETAILS_H
#define DETAILS_H

#include "common/runfile.h"
#include "invctl.h"
#include "supervise/process_list.h"

struct details {
	char **command;                     /* ends with NULL; NULL: not known */
	char *cwd;                          /* NULL: not known */
	char *output;                       /* the file that keeps it; NULL: none */
	uint64_t output_bytes, output_lost; /* its size, and how much is no longer kept */
	struct process_list waiting_for;
	struct runfile run; /* where they come from a run file: owns them */
};

/*
 * From the run file; for what has none (programs linked with the library) from
 * /proc while it lives. Never fails: what is not known stays NULL.
 */
void details_find(inv_table *table, const struct inv_info *info, struct details *details);

void details_free(struct details *details);

#endif

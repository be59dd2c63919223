/* Invocations as handles of the process that owns them. */
#ifndef RUN_H
#define RUN_H

#include "api/handle.h"
#include "invctl-supervisor.h"

struct inv_invocation {
	inv_table *table;
	struct slot_ref ref;
	inv_event *event;
	inv_context *context;  /* of inv_invocation_begin; else NULL */
	uint32_t request_seen; /* the request that was last seen, and when */
	int64_t request_seen_ns;
};

/* Take over an invocation whose owner is dead; word is its control word as judged.
 * NULL: another process was faster, or no memory. */
inv_invocation *run_adopt(inv_table *table, uint32_t index, uint64_t word);

#endif

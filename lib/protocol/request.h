/* A request to one invocation to stop, and its record: see request.c. */
#ifndef REQUEST_H
#define REQUEST_H

#include "table/table.h"

struct request {
	int cause;          /* enum inv_cause */
	const char *reason; /* may be NULL */
};

struct request_record {
	int cause;
	uint32_t uid;
	int32_t pid;
	int64_t time_ns;
	int64_t monotonic_ns;
	char command[INV_COMMAND_BYTES];
	char reason[INV_REASON_BYTES];
};

/* Make a request to one registration. 1 made; 0 one was pending already; -ESTALE. */
int request_make(inv_table *table, struct slot_ref ref, const struct request *request);

/* The record of the request that event_word shows. Where its maker was killed
 * while writing it, only the cause "requested" is known. */
void request_read(const inv_table *table, struct slot_ref ref, uint64_t event_word,
                  struct request_record *record);

#endif

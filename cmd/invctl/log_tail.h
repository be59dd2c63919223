/* The last records of an invocation's log. */
#ifndef LOG_TAIL_H
#define LOG_TAIL_H

#include <stddef.h>
#include <stdint.h>

#include "invctl.h"

struct log_record {
	int64_t time_ns; /* time of day */
	int level;
	char *text;
};

/* A ring of the records read last. */
struct log_tail {
	struct log_record *ring;
	size_t limit;
	size_t count; /* kept: at most limit */
	size_t first; /* where the oldest kept one lies */
};

/* Read the last limit records. 0; or a negative errno: the tail is empty then, and may be used. */
int log_tail_read(inv_table *table, const uint8_t id[16], size_t limit, struct log_tail *tail);

/* The index-th of those kept, the oldest first. */
const struct log_record *log_tail_at(const struct log_tail *tail, size_t index);

void log_tail_free(struct log_tail *tail);

#endif

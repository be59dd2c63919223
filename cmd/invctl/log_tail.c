/* The last records of an invocation's log. */
#include "invctl/log_tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int keep(int64_t time_ns, int level, const char *text, void *arg)
{
	struct log_tail *tail = arg;
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	if (tail->count == tail->limit) {
		free(tail->ring[tail->first].text);
		tail->first = (tail->first + 1) % tail->limit;
		tail->count--;
	}

	size_t at = (tail->first + tail->count++) % tail->limit;

	tail->ring[at] = (struct log_record){.time_ns = time_ns, .level = level, .text = copy};
	return 0;
}

int log_tail_read(inv_table *table, const uint8_t id[16], size_t limit, struct log_tail *tail)
{
	memset(tail, 0, sizeof(*tail));
	tail->ring = calloc(limit, sizeof(*tail->ring));
	if (!tail->ring)
		return -ENOMEM;
	tail->limit = limit;

	int error = inv_log_read(table, id, keep, tail);

	if (error < 0)
		log_tail_free(tail);
	return error;
}

const struct log_record *log_tail_at(const struct log_tail *tail, size_t index)
{
	return &tail->ring[(tail->first + index) % tail->limit];
}

void log_tail_free(struct log_tail *tail)
{
	for (size_t i = 0; i < tail->count; i++)
		free(tail->ring[(tail->first + i) % tail->limit].text);
	free(tail->ring);
	memset(tail, 0, sizeof(*tail));
}

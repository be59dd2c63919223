/*
 * The invocations of a table as an array: collected, chosen, put in order. A row keeps
 * what order and tree need, 64 bytes, and where its maker has put the rest, so that the list
 * of a large table stays small.
 */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "invctl.h"
#include "invctl/growing.h"

struct listing_row {
	uint8_t id[16];
	uint8_t parent[16];
	int64_t requested_ns;
	size_t content; /* where its maker has put what is shown of it */
	int depth;      /* in the tree; 0 unless listing_order_as_tree was called */
	bool kept;
};

struct listing {
	struct listing_row *rows; /* in memory */
	size_t count;
	struct growing memory;
	int id_digits; /* hexadecimal digits, 8 or more, that tell every id of the table from the
	                  others; 32 where that was not asked for */
};

/* What is to become of each invocation. */
struct listing_wish {
	bool (*keep)(const struct inv_info *info, const void *arg);
	const void *keep_arg;
	/* Put away what is shown of it, and tell where. 0, or a negative errno. */
	int (*make)(const struct inv_info *info, void *arg, size_t *content);
	void *make_arg;
	bool short_ids; /* id_digits is asked for */
};

/* Collect those of a table that are to be kept, oldest first; a NULL table has none. The memory
 * is the caller's to free. 0; or a negative errno, and nothing is to be freed. */
int listing_collect(inv_table *table, const struct listing_wish *wish, struct listing *listing);

/* Each one followed by its children, with their depth; else oldest first. 0; -ENOMEM. */
int listing_order_as_tree(struct listing *listing);

#endif

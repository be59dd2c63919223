/* The invocations of a table as an array: collected, filtered, put in order. */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "invctl.h"

struct listing_row {
	struct inv_info info;
	int depth; /* in the tree; 0 unless listing_order_as_tree was called */
};

struct listing {
	struct listing_row *rows;
	size_t count;
	size_t room;
	int id_digits; /* hexadecimal digits, 8 or more, that tell every id of the table from the
	                  others */
};

/* Collect all of a table; a NULL table has none. 0; or a negative errno. */
int listing_collect(inv_table *table, struct listing *listing);

/* Keep the rows for which keep answers true. */
void listing_filter(struct listing *listing, bool (*keep)(const struct inv_info *, const void *),
                    const void *arg);

/* Oldest first. */
void listing_order_by_age(struct listing *listing);

/* Each one followed by its children, with their depth; else oldest first. 0; -ENOMEM. */
int listing_order_as_tree(struct listing *listing);

void listing_free(struct listing *listing);

#endif

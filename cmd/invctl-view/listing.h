/* The invocations of a table as an array: collected, chosen, put in order. */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "invctl-view/state.h"
#include "invctl.h"

struct listing_row {
	struct inv_info info;
	enum state state;
	int depth; /* in the tree; 0 unless listing_order_as_tree was called */
	bool last; /* of those that its parent started */
	size_t up; /* the index of its parent; meaningful where depth is not 0 */
};

struct listing {
	struct listing_row *rows;
	size_t count;
	int id_digits; /* hexadecimal digits, 8 or more, that tell every id of the table from
	                  the others, also from those that are not in the list */
};

/* Collect those of a table that are wanted, oldest first; a NULL table has none. 0, or
 * a negative errno; the rows are to be freed in either case.
 *   whole  see of each that runs if its processes are stopped, which costs more than the rest of a
 *          row; false: of so many as a person reads */
int listing_collect(inv_table *table, bool whole,
                    bool (*wanted)(const struct listing_row *row, const void *arg), const void *arg,
                    struct listing *listing);

/* Each one followed by those that it started, the oldest first. 0; -ENOMEM. */
int listing_order_as_tree(struct listing *listing);

#endif

/* The order of list --tree: each invocation is followed by those that it started. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "invctl-view/listing.h"

#define NO_ROW SIZE_MAX

/* Links by index in the listing's rows, which are in the order of age. */
struct node {
	size_t parent;
	size_t first_child;
	size_t next_sibling;
	size_t place; /* in the order of the tree, once it is placed */
	bool placed;
};

struct id_index {
	uint8_t id[16];
	size_t row;
};

static int compare_index(const void *a, const void *b)
{
	return memcmp(((const struct id_index *)a)->id, ((const struct id_index *)b)->id, 16);
}

static size_t find_row(const struct id_index *index, size_t count, const uint8_t id[16])
{
	const struct id_index *found = bsearch(id, index, count, sizeof(*index), compare_index);

	return found ? found->row : NO_ROW;
}

static void fill_index(const struct listing *listing, struct id_index *index)
{
	for (size_t i = 0; i < listing->count; i++) {
		memcpy(index[i].id, listing->rows[i].info.id, 16);
		index[i].row = i;
	}
	qsort(index, listing->count, sizeof(*index), compare_index);
}

/* From the youngest to the oldest, so that each child put in front leaves them in order of age. */
static void link_children(const struct listing *listing, const struct id_index *index,
                          struct node *nodes)
{
	for (size_t i = 0; i < listing->count; i++)
		nodes[i] = (struct node){
		        .parent = NO_ROW, .first_child = NO_ROW, .next_sibling = NO_ROW};
	for (size_t i = listing->count; i-- > 0;) {
		size_t parent = find_row(index, listing->count, listing->rows[i].info.parent);

		if (parent == NO_ROW || parent == i)
			continue;
		nodes[i].parent = parent;
		nodes[i].next_sibling = nodes[parent].first_child;
		nodes[parent].first_child = i;
	}
}

/* The one to place after row in its tree, or NO_ROW. What is already placed is not entered
 * again: a damaged table may tell of a circle. */
static size_t next_in_tree(const struct node *nodes, size_t row, size_t root)
{
	size_t child = nodes[row].first_child;

	if (child != NO_ROW && !nodes[child].placed)
		return child;
	while (row != root) {
		size_t sibling = nodes[row].next_sibling;

		if (sibling != NO_ROW && !nodes[sibling].placed)
			return sibling;
		row = nodes[row].parent;
	}
	return NO_ROW;
}

static size_t place_tree(const struct listing *listing, struct node *nodes, size_t root,
                         struct listing_row *out, size_t placed)
{
	for (size_t row = root; row != NO_ROW; row = next_in_tree(nodes, row, root)) {
		struct listing_row *place = &out[placed];

		*place = listing->rows[row];
		if (row != root) {
			place->up = nodes[nodes[row].parent].place;
			place->depth = out[place->up].depth + 1;
			place->last = nodes[row].next_sibling == NO_ROW;
		}
		nodes[row].placed = true;
		nodes[row].place = placed++;
	}
	return placed;
}

static void place_all(const struct listing *listing, struct node *nodes, struct listing_row *out)
{
	size_t placed = 0;

	for (size_t i = 0; i < listing->count; i++)
		if (nodes[i].parent == NO_ROW)
			placed = place_tree(listing, nodes, i, out, placed);
	for (size_t i = 0; i < listing->count; i++)
		if (!nodes[i].placed)
			placed = place_tree(listing, nodes, i, out, placed);
}

int listing_order_as_tree(struct listing *listing)
{
	size_t count = listing->count;

	if (count == 0)
		return 0;

	struct id_index *index = calloc(count, sizeof(*index));
	struct node *nodes = calloc(count, sizeof(*nodes));
	struct listing_row *ordered = calloc(count, sizeof(*ordered));
	int error = index && nodes && ordered ? 0 : -ENOMEM;

	if (error == 0) {
		fill_index(listing, index);
		link_children(listing, index, nodes);
		place_all(listing, nodes, ordered);
		free(listing->rows);
		listing->rows = ordered;
	} else {
		free(ordered);
	}
	free(index);
	free(nodes);
	return error;
}

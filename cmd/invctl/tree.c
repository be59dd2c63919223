/* The order of list --tree: each invocation is followed by those that it started. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "invctl/listing.h"

#define NOBODY SIZE_MAX

/* Links by index in the listing's rows, which are in the order of age. */
struct node {
	size_t parent;
	size_t first_child;
	size_t next_sibling;
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

	return found ? found->row : NOBODY;
}

static void fill_index(const struct listing *listing, struct id_index *index)
{
	for (size_t i = 0; i < listing->count; i++) {
		memcpy(index[i].id, listing->rows[i].id, 16);
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
		        .parent = NOBODY, .first_child = NOBODY, .next_sibling = NOBODY};
	for (size_t i = listing->count; i-- > 0;) {
		size_t parent = find_row(index, listing->count, listing->rows[i].parent);

		if (parent == NOBODY || parent == i)
			continue;
		nodes[i].parent = parent;
		nodes[i].next_sibling = nodes[parent].first_child;
		nodes[parent].first_child = i;
	}
}

/* The one to place after row in its tree, or NOBODY; *depth follows. What is already placed is
 * not entered again: a damaged table may tell of a circle. */
static size_t next_in_tree(const struct node *nodes, size_t row, size_t root, int *depth)
{
	size_t child = nodes[row].first_child;

	if (child != NOBODY && !nodes[child].placed) {
		++*depth;
		return child;
	}
	while (row != root) {
		if (nodes[row].next_sibling != NOBODY && !nodes[nodes[row].next_sibling].placed)
			return nodes[row].next_sibling;
		row = nodes[row].parent;
		--*depth;
	}
	return NOBODY;
}

static size_t place_tree(const struct listing *listing, struct node *nodes, size_t root,
                         struct listing_row *out)
{
	size_t placed = 0;
	int depth = 0;

	for (size_t row = root; row != NOBODY; row = next_in_tree(nodes, row, root, &depth)) {
		nodes[row].placed = true;
		out[placed] = listing->rows[row];
		out[placed++].depth = depth;
	}
	return placed;
}

static void place_all(const struct listing *listing, struct node *nodes, struct listing_row *out)
{
	size_t placed = 0;

	for (size_t i = 0; i < listing->count; i++)
		if (nodes[i].parent == NOBODY)
			placed += place_tree(listing, nodes, i, out + placed);
	for (size_t i = 0; i < listing->count; i++)
		if (!nodes[i].placed)
			placed += place_tree(listing, nodes, i, out + placed);
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
		memcpy(listing->rows, ordered, count * sizeof(*ordered));
	}
	free(index);
	free(nodes);
	free(ordered);
	return error;
}

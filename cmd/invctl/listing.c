/* The invocations of a table as an array: see listing.h. */
#include "invctl/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS_SHOWN = 8, ID_DIGITS = 32 };

struct collecting {
	const struct listing_wish *wish;
	struct listing *listing;
};

static struct listing_row *new_row(struct listing *listing)
{
	struct listing_row *row = growing_room(&listing->memory, sizeof(*row));

	if (!row)
		return NULL;
	listing->memory.used += sizeof(*row);
	listing->rows = (struct listing_row *)(void *)listing->memory.bytes;
	listing->count++;
	return row;
}

static int add(const struct inv_info *info, void *arg)
{
	const struct collecting *collecting = arg;
	const struct listing_wish *wish = collecting->wish;
	bool kept = wish->keep(info, wish->keep_arg);

	if (!kept && !wish->short_ids)
		return 0;

	struct listing_row *row = new_row(collecting->listing);

	if (!row)
		return -ENOMEM;
	*row = (struct listing_row){.requested_ns = info->requested_ns, .kept = kept};
	memcpy(row->id, info->id, sizeof(row->id));
	memcpy(row->parent, info->parent, sizeof(row->parent));
	return kept ? wish->make(info, wish->make_arg, &row->content) : 0;
}

static int compare_id(const void *a, const void *b)
{
	const struct listing_row *one = a, *other = b;

	return memcmp(one->id, other->id, sizeof(one->id));
}

/* Leading hexadecimal digits that two ids share. */
static int shared_digits(const uint8_t a[16], const uint8_t b[16])
{
	int bytes = 0;

	while (bytes < 16 && a[bytes] == b[bytes])
		bytes++;
	return bytes == 16 ? ID_DIGITS : 2 * bytes + ((a[bytes] ^ b[bytes]) < 0x10);
}

/* Sorted by id, those that share the most stand side by side. */
static int distinct_digits(struct listing *listing)
{
	int digits = ID_DIGITS_SHOWN;

	if (listing->count > 0)
		qsort(listing->rows, listing->count, sizeof(*listing->rows), compare_id);
	for (size_t i = 1; i < listing->count; i++) {
		int needed = 1 + shared_digits(listing->rows[i - 1].id, listing->rows[i].id);

		if (needed > digits)
			digits = needed;
	}
	return digits < ID_DIGITS ? digits : ID_DIGITS;
}

static void drop_others(struct listing *listing)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++)
		if (listing->rows[i].kept)
			listing->rows[kept++] = listing->rows[i];
	listing->count = kept;
}

static int compare_age(const void *a, const void *b)
{
	const struct listing_row *one = a, *other = b;

	if (one->requested_ns != other->requested_ns)
		return one->requested_ns < other->requested_ns ? -1 : 1;
	return compare_id(a, b);
}

int listing_collect(inv_table *table, const struct listing_wish *wish, struct listing *listing)
{
	struct collecting collecting = {.wish = wish, .listing = listing};
	int error = 0;

	*listing = (struct listing){.id_digits = ID_DIGITS};
	if (table)
		error = inv_list(table, add, &collecting);
	if (error < 0) {
		growing_free(&listing->memory);
		return error;
	}
	if (wish->short_ids)
		listing->id_digits = distinct_digits(listing);
	drop_others(listing);
	if (listing->count > 0)
		qsort(listing->rows, listing->count, sizeof(*listing->rows), compare_age);
	return 0;
}

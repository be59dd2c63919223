/* The invocations of a table as an array. */
#include "listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS_SHOWN = 8, ID_DIGITS = 32 };

static int add(const struct inv_info *info, void *arg)
{
	struct listing *listing = arg;

	if (listing->count == listing->room) {
		size_t room = listing->room ? 2 * listing->room : 64;
		struct listing_row *rows = reallocarray(listing->rows, room, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		listing->rows = rows;
		listing->room = room;
	}
	listing->rows[listing->count].info = *info;
	listing->rows[listing->count].depth = 0;
	listing->count++;
	return 0;
}

static int compare_id(const void *a, const void *b)
{
	const struct listing_row *one = a, *other = b;

	return memcmp(one->info.id, other->info.id, sizeof(one->info.id));
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

	qsort(listing->rows, listing->count, sizeof(*listing->rows), compare_id);
	for (size_t i = 1; i < listing->count; i++) {
		int needed =
		        1 + shared_digits(listing->rows[i - 1].info.id, listing->rows[i].info.id);

		if (needed > digits)
			digits = needed;
	}
	return digits < ID_DIGITS ? digits : ID_DIGITS;
}

int listing_collect(inv_table *table, struct listing *listing)
{
	int error = 0;

	memset(listing, 0, sizeof(*listing));
	if (table)
		error = inv_list(table, add, listing);
	if (error < 0)
		listing_free(listing);
	else if (listing->count > 0)
		listing->id_digits = distinct_digits(listing);
	return error;
}

void listing_filter(struct listing *listing, bool (*keep)(const struct inv_info *, const void *),
                    const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++)
		if (keep(&listing->rows[i].info, arg))
			listing->rows[kept++] = listing->rows[i];
	listing->count = kept;
}

static int compare_age(const void *a, const void *b)
{
	const struct listing_row *one = a, *other = b;

	if (one->info.requested_ns != other->info.requested_ns)
		return one->info.requested_ns < other->info.requested_ns ? -1 : 1;
	return compare_id(a, b);
}

void listing_order_by_age(struct listing *listing)
{
	if (listing->count > 0)
		qsort(listing->rows, listing->count, sizeof(*listing->rows), compare_age);
}

void listing_free(struct listing *listing)
{
	free(listing->rows);
	memset(listing, 0, sizeof(*listing));
}

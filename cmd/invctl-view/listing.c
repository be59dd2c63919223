/* The invocations of a table as an array: see listing.h. */
#include "invctl-view/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/array.h"
#include "common/short_id.h"

enum {
	READ_BY_A_PERSON = 256,
};

static int add(const struct inv_info *info, void *arg)
{
	struct listing *listing = arg;
	struct listing_row *rows = array_room(listing->rows, listing->count, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	listing->rows = rows;
	rows[listing->count++] = (struct listing_row){.info = *info};
	return 0;
}

static int compare_id(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* Sorted by id, those that share the most stand side by side. */
static int distinct_digits(const struct listing *listing)
{
	uint8_t(*ids)[16] = calloc(listing->count + 1, sizeof(*ids));
	int digits = SHORT_ID_DIGITS;

	if (!ids)
		return ID_DIGITS;
	for (size_t i = 0; i < listing->count; i++)
		memcpy(ids[i], listing->rows[i].info.id, 16);
	qsort(ids, listing->count, sizeof(*ids), compare_id);
	for (size_t i = 1; i < listing->count; i++) {
		int needed = 1 + id_shared_digits(ids[i - 1], ids[i]);

		if (needed > digits)
			digits = needed;
	}
	free(ids);
	return digits < ID_DIGITS ? digits : ID_DIGITS;
}

static void note_states(struct listing *listing, bool whole)
{
	int looked_up = 0;

	for (size_t i = 0; i < listing->count; i++) {
		struct listing_row *row = &listing->rows[i];

		row->state = state_of(&row->info, false);
		if (row->state != STATE_RUNNING || (!whole && looked_up == READ_BY_A_PERSON))
			continue;
		looked_up++;
		row->state = state_of(&row->info, process_is_stopped(&row->info));
	}
}

static void drop_others(struct listing *listing,
                        bool (*wanted)(const struct listing_row *row, const void *arg),
                        const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++)
		if (wanted(&listing->rows[i], arg))
			listing->rows[kept++] = listing->rows[i];
	listing->count = kept;
}

static int compare_age(const void *a, const void *b)
{
	const struct inv_info *one = &((const struct listing_row *)a)->info;
	const struct inv_info *other = &((const struct listing_row *)b)->info;

	if (one->requested_ns != other->requested_ns)
		return one->requested_ns < other->requested_ns ? -1 : 1;
	return compare_id(one->id, other->id);
}

int listing_collect(inv_table *table, bool whole,
                    bool (*wanted)(const struct listing_row *row, const void *arg), const void *arg,
                    struct listing *listing)
{
	*listing = (struct listing){.id_digits = ID_DIGITS};

	int error = table ? inv_list(table, add, listing) : 0;

	if (error < 0)
		return error;
	listing->id_digits = distinct_digits(listing);
	if (listing->count > 0)
		qsort(listing->rows, listing->count, sizeof(*listing->rows), compare_age);
	note_states(listing, whole);
	drop_others(listing, wanted, arg);
	return 0;
}

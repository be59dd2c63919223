/* Where the parts of a segment lie. */
#include "table/layout.h"

#include <errno.h>

/* Two buckets of sixteen words, the emptier one taken: filling a table of 2^20
 * at this ratio never found both full, from 1.17 upwards. */
enum { SLOTS_PER_HUNDRED = 118 };

static size_t page_round(size_t bytes)
{
	return (bytes + LAYOUT_PAGE - 1) / LAYOUT_PAGE * LAYOUT_PAGE;
}

static void add_level(struct geometry *geometry, uint32_t begin, uint32_t end, uint32_t width)
{
	geometry->level_end[geometry->level_count] = end;
	geometry->level_buckets[geometry->level_count++] = (end - begin) / width;
}

/* All but the last of a fixed size; the last takes the rest, and most of the table. Each of
 * the others takes about three quarters of its slots before the first id finds no room. */
static void cut_into_levels(struct geometry *geometry)
{
	static const uint32_t ends[LEVELS_MAX - 1] = {2048, 8192, 131072};
	uint32_t begin = 0;

	for (uint32_t i = 0; i < LEVELS_MAX - 1 && geometry->slots > 2 * ends[i]; i++) {
		add_level(geometry, begin, ends[i], LOWER_WIDTH);
		begin = ends[i];
	}
	add_level(geometry, begin, geometry->slots, geometry->width);
}

int geometry_of(uint32_t capacity, struct geometry *geometry)
{
	struct geometry made = {.capacity = capacity};

	if (capacity == 0 || capacity > CAPACITY_MAX)
		return -EINVAL;
	if (capacity <= SMALL_CAPACITY) {
		made.buckets = 1;
		made.width = capacity;
	} else {
		uint64_t slots = (uint64_t)capacity * SLOTS_PER_HUNDRED / 100;
		made.width = BUCKET_WIDTH;
		made.buckets = (uint32_t)((slots + BUCKET_WIDTH - 1) / BUCKET_WIDTH);
	}
	made.slots = made.buckets * made.width;
	cut_into_levels(&made);
	made.owners = capacity + OWNERS_SPARE;
	made.control_at = LAYOUT_PAGE;
	made.event_at = made.control_at + page_round((size_t)made.slots * 8);
	made.ids_at = made.event_at + page_round((size_t)made.slots * 8);
	made.parent_index_at =
	        made.ids_at + page_round((size_t)made.slots * sizeof(struct slot_id));
	made.owners_at = made.parent_index_at + page_round((size_t)made.slots * 4);
	made.slots_at =
	        made.owners_at + page_round((size_t)made.owners * sizeof(struct owner_entry));
	made.changes_at = made.slots_at + page_round((size_t)made.slots * sizeof(struct slot));
	made.bytes = made.changes_at + page_round(CHANGES * sizeof(struct change_record));
	*geometry = made;
	return 0;
}

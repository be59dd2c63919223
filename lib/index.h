/*
 * Where an id may be. The array of control words is the index; there is nothing
 * beside it that could disagree.
 *
 * The array is cut into levels. An id's hash chooses one bucket in each level but the last
 * and two in the last. A registrar takes the lowest level that has room there, and counts
 * header.levels up before it claims a slot beyond them. Who looks for an id, or at all
 * slots, minds the levels in use alone: a table of a million with ten live is looked
 * through as fast as a table of ten.
 *
 * A registrar killed after it has counted levels up leaves a level that is empty: nothing
 * is to be repaired. The count never goes down while the table lasts.
 */
#ifndef INDEX_H
#define INDEX_H

#include "slot.h"

enum {
	CANDIDATES_MAX = LEVELS_MAX + 1,
	PLACE_STEP = 4, /* as many ids are a cache line */
};

/* Looked through from a place of the id's own on, so that mostly the first line does. */
struct bucket {
	uint32_t first; /* its first slot */
	uint32_t width; /* slots */
	uint32_t place;
};

/* The slot to look at as the i-th. */
static inline uint32_t bucket_slot(const struct bucket *bucket, uint32_t i)
{
	uint32_t at = bucket->place + i;

	return bucket->first + (at < bucket->width ? at : at - bucket->width);
}

struct candidates {
	struct bucket bucket[CANDIDATES_MAX]; /* the last level's first, then downwards */
	uint32_t count;                       /* all different */
	uint32_t last_level;                  /* so many of them are in the last level */
	uint32_t tag;
};

/* The levels in use: from 1 to the table's, whatever the segment says. */
static inline uint32_t index_levels(const inv_table *table)
{
	uint32_t levels = atomic_load(&table->header->levels);

	if (levels == 0)
		return 1;
	return levels < table->geometry.level_count ? levels : table->geometry.level_count;
}

/* No slot from this one on is in use. */
static inline uint32_t index_extent(const inv_table *table)
{
	return table->geometry.level_end[index_levels(table) - 1];
}

/* Where an id can go: the first free word of a bucket, and how many are free there. */
struct room {
	uint32_t count;
	uint32_t index;
	uint64_t word;
};

/* Could this word be of an id with that tag, live or done? */
static inline bool index_may_be(uint64_t word, uint32_t tag)
{
	return control_tag(word) == tag && slot_visible(word);
}

static inline bool index_same_id(const inv_table *table, uint32_t index, const uint64_t id[2])
{
	const struct slot_id *there = id_at(table, index);

	return atomic_load_explicit(&there->half[0], memory_order_acquire) == id[0] &&
	       atomic_load_explicit(&there->half[1], memory_order_acquire) == id[1];
}

/* Look for the id and for room: in the lowest level that has any. 0; -EEXIST the id is live or
 * done; -ENOSPC. Of the last level's two buckets the first is taken while half of it is free,
 * so that most look-ups end there, and then the emptier one. */
int index_room(const inv_table *table, const struct candidates *candidates, const uint64_t id[2],
               struct room *room);

/* So many levels are in use from now on. */
void index_use_levels(inv_table *table, uint32_t levels);

/* The buckets of an id in so many levels. */
struct candidates index_candidates(const inv_table *table, const uint8_t id[16], uint32_t levels);

#endif

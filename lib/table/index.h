/*
 * Where an id may be. The array of control words is the index; there is nothing
 * beside it that could disagree.
 *
 * The array is cut into levels. An id's hash chooses two buckets in each. A
 * registrar takes the lowest level that has room there, and counts header.levels up before it
 * claims a slot beyond them. A search for an id, or a scan of all slots, covers the levels in use
 * alone: in a table of a million with ten live it is as fast as in a table of ten.
 *
 * A registrar killed after it has counted levels up leaves an empty level, which needs no
 * repair. The count never goes down while the table lasts.
 */
#ifndef INDEX_H
#define INDEX_H

#include "table/slot.h"

struct bucket {
	uint32_t first; /* its first slot */
	uint32_t width; /* slots */
};

/* A search for an id, a bucket at a time: the two of the highest level in use, then
 * downwards. */
struct search {
	uint32_t half[2]; /* of the hash: the first and the second bucket of each level */
	uint32_t tag;
	uint32_t level;
	bool second;
	struct bucket bucket; /* to be searched now */
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

/* The bucket of its level that one half of a search's hash chooses. */
static inline struct bucket index_bucket(const struct geometry *geometry,
                                         const struct search *search)
{
	uint32_t level = search->level;
	uint32_t width = level + 1 == geometry->level_count ? geometry->width : LOWER_WIDTH;
	uint32_t first = level > 0 ? geometry->level_end[level - 1] : 0;
	uint64_t scaled = (uint64_t)search->half[search->second] * geometry->level_buckets[level];

	return (struct bucket){first + (uint32_t)(scaled >> 32) * width, width};
}

/* Begin a search in so many levels: there is always one bucket. */
void index_search(const inv_table *table, const uint8_t id[16], uint32_t levels,
                  struct search *search);

/* Go on to the next bucket, if there is one. */
static inline bool index_next(const inv_table *table, struct search *search)
{
	uint32_t before = search->bucket.first;

	if (!search->second) {
		search->second = true;
		search->bucket = index_bucket(&table->geometry, search);
		if (search->bucket.first != before)
			return true;
	}
	if (search->level == 0)
		return false;
	search->level--;
	search->second = false;
	search->bucket = index_bucket(&table->geometry, search);
	return true;
}

/* Where an id can go: the first free word of a bucket, and how many are free there. */
struct room {
	uint32_t count;
	uint32_t index;
	uint32_t tag;
	uint64_t word;
};

/* Could this word be of an id with that tag, live or done? */
static inline bool index_may_be(uint64_t word, uint32_t tag)
{
	return control_tag(word) == tag && slot_visible(word);
}

static inline bool index_same_id(const inv_table *table, uint32_t index, const uint64_t id[2])
{
	const struct slot_id *there = &table->ids[index];

	return atomic_load_explicit(&there->half[0], memory_order_acquire) == id[0] &&
	       atomic_load_explicit(&there->half[1], memory_order_acquire) == id[1];
}

/* Look for the id and for room in so many levels: in the lowest one that has any. 0; -EEXIST
 * the id is live or done; -ENOSPC. Of a level's two buckets the first is taken while half of it
 * is free, so that most look-ups end there, and then the emptier one. */
int index_room(const inv_table *table, const uint8_t id[16], uint32_t levels, struct room *room);

/* So many levels are in use from now on. */
void index_use_levels(inv_table *table, uint32_t levels);

#endif

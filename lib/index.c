/* Hashing an id to its buckets, and looking for room there: see index.h. */
#include "index.h"

#include <errno.h>
#include <string.h>

/* Users may choose ids, so all 128 bits take part: two rounds of a
 * multiply-and-fold. It need not withstand an adversary, who may write into the table anyway. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned long long low = (a ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);

	low ^= low >> 32;
	low = (low ^ b) * UINT64_C(0xd6e8feb86659fd93);
	low ^= low >> 29;
	low *= UINT64_C(0xff51afd7ed558ccd);
	return low ^ low >> 32;
}

/* The bucket of a level that half a hash chooses. */
static inline struct bucket bucket_of(const struct geometry *geometry, uint32_t level,
                                      uint64_t half, uint32_t place)
{
	uint32_t width = level + 1 == geometry->level_count ? geometry->width : LOWER_WIDTH;
	uint32_t first = level > 0 ? geometry->level_end[level - 1] : 0;

	first += (uint32_t)(half * geometry->level_buckets[level] >> 32) * width;
	place &= BUCKET_WIDTH - PLACE_STEP;
	if (place >= width)
		place = place - width < width ? place - width : 0;
	return (struct bucket){first, width, place};
}

struct candidates index_candidates(const inv_table *table, const uint8_t id[16], uint32_t levels)
{
	const struct geometry *geometry = &table->geometry;
	uint64_t half[2];

	memcpy(half, id, sizeof(half));
	uint64_t hash = mix(half[0], half[1]);
	uint64_t low = hash & UINT32_MAX, high = hash >> 32;
	uint64_t more = (hash ^ hash >> 23) * UINT64_C(0x9e3779b97f4a7c15);
	struct candidates candidates = {.tag = (uint32_t)(more >> (64 - CONTROL_TAG_BITS))};
	uint32_t place = (uint32_t)(more >> (60 - CONTROL_TAG_BITS));
	uint32_t level = levels;

	if (level == geometry->level_count) {
		level--;
		struct bucket one = bucket_of(geometry, level, low, place);
		struct bucket other = bucket_of(geometry, level, high, place);
		candidates.bucket[candidates.count++] = one;
		if (other.first != one.first)
			candidates.bucket[candidates.count++] = other;
		candidates.last_level = candidates.count;
	}
	while (level-- > 0)
		candidates.bucket[candidates.count++] = bucket_of(geometry, level, low, place);
	return candidates;
}

/* Free words of a bucket, and the first of them. -EEXIST: the id is in it. */
static int survey_bucket(const inv_table *table, const struct bucket *bucket, uint32_t tag,
                         const uint64_t id[2], struct room *room)
{
	*room = (struct room){0};
	for (uint32_t i = 0; i < bucket->width; i++) {
		uint32_t index = bucket_slot(bucket, i);
		uint64_t word =
		        atomic_load_explicit(control_at(table, index), memory_order_acquire);
		if (control_state(word) == SLOT_FREE) {
			if (room->count++ == 0) {
				room->index = index;
				room->word = word;
			}
		} else if (index_may_be(word, tag) && index_same_id(table, index, id)) {
			return -EEXIST;
		}
	}
	return 0;
}

int index_room(const inv_table *table, const struct candidates *candidates, const uint64_t id[2],
               struct room *best)
{
	struct room room[CANDIDATES_MAX] = {0};

	best->count = 0;
	for (uint32_t at = candidates->count; at-- > 0;) {
		int error = survey_bucket(table, &candidates->bucket[at], candidates->tag, id,
		                          &room[at]);
		if (error)
			return error;
		if (at >= candidates->last_level && best->count == 0)
			*best = room[at];
	}
	if (best->count > 0 || candidates->last_level == 0)
		return best->count > 0 ? 0 : -ENOSPC;
	*best = room[0];
	if (candidates->last_level == 2 && best->count < candidates->bucket[0].width / 2 &&
	    best->count < room[1].count)
		*best = room[1];
	return best->count > 0 ? 0 : -ENOSPC;
}

void index_use_levels(inv_table *table, uint32_t levels)
{
	uint32_t used = atomic_load(&table->header->levels);

	while (used < levels &&
	       !atomic_compare_exchange_weak(&table->header->levels, &used, levels))
		continue;
}

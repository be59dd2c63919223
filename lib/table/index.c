/* Hashing an id to its buckets, and looking for room there: see index.h. */
#include "table/index.h"

#include <errno.h>
#include <string.h>

/* Users may choose ids, so all 128 bits take part: two rounds of a
 * multiply-and-fold. It need not resist an attacker, who could write into the table anyway. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned long long low = (a ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);

	low ^= low >> 32;
	low = (low ^ b) * UINT64_C(0xd6e8feb86659fd93);
	low ^= low >> 29;
	low *= UINT64_C(0xff51afd7ed558ccd);
	return low ^ low >> 32;
}

void index_search(const inv_table *table, const uint8_t id[16], uint32_t levels,
                  struct search *search)
{
	uint64_t half[2];

	memcpy(half, id, sizeof(half));
	uint64_t hash = mix(half[0], half[1]);
	uint64_t more = (hash ^ hash >> 23) * UINT64_C(0x9e3779b97f4a7c15);
	search->half[0] = (uint32_t)hash;
	search->half[1] = (uint32_t)(hash >> 32);
	search->tag = (uint32_t)(more >> (64 - CONTROL_TAG_BITS));
	search->level = levels - 1;
	search->second = false;
	search->bucket = index_bucket(&table->geometry, search);
}

/* Add the free words of a bucket to room, and the first of them. -EEXIST: the id is in it. */
static int survey_bucket(const inv_table *table, const struct bucket *bucket, uint32_t tag,
                         const uint64_t id[2], struct room *room)
{
	for (uint32_t i = 0; i < bucket->width; i++) {
		uint32_t index = bucket->first + i;
		uint64_t word = atomic_load_explicit(&table->control[index], memory_order_acquire);
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

int index_room(const inv_table *table, const uint8_t id[16], uint32_t levels, struct room *best)
{
	struct search search;
	uint32_t level = levels;
	uint64_t wanted[2];

	memcpy(wanted, id, sizeof(wanted));
	best->count = 0;
	index_search(table, id, levels, &search);
	do {
		struct room room = {0};
		int error = survey_bucket(table, &search.bucket, search.tag, wanted, &room);
		if (error)
			return error;
		if (room.count == 0)
			continue;
		/* Behind the other bucket of the same level. */
		bool other = best->count > 0 && level == search.level;
		if (other && (best->count >= search.bucket.width / 2 || best->count >= room.count))
			continue;
		*best = room;
		level = search.level;
	} while (index_next(table, &search));
	best->tag = search.tag;
	return best->count > 0 ? 0 : -ENOSPC;
}

void index_use_levels(inv_table *table, uint32_t levels)
{
	uint32_t used = atomic_load(&table->header->levels);

	while (used < levels &&
	       !atomic_compare_exchange_weak(&table->header->levels, &used, levels))
		continue;
}

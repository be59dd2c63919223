/* Hashing an id to its buckets: see index.h. */
#include "index.h"

#include <string.h>

#include "slot.h"

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

/* The first slot of the bucket, of those from slot begin on to end, that half a hash chooses. */
static uint32_t choose(uint64_t half, uint32_t begin, uint32_t end, uint32_t width)
{
	return begin + (uint32_t)(half * ((end - begin) / width) >> 32) * width;
}

struct candidates index_candidates(const inv_table *table, const uint8_t id[16], uint32_t levels)
{
	const struct geometry *geometry = &table->geometry;
	uint64_t half[2];

	memcpy(half, id, sizeof(half));
	uint64_t hash = mix(half[0], half[1]);
	uint64_t low = hash & 0xffffffff, high = hash >> 32;
	struct candidates candidates = {
	        .tag = (uint32_t)((hash ^ hash >> 23) * UINT64_C(0x9e3779b97f4a7c15) >>
	                          (64 - CONTROL_TAG_BITS)),
	};
	uint32_t begin = 0;
	for (uint32_t level = 0; level < levels; level++) {
		uint32_t end = geometry->level_end[level];
		bool last = level + 1 == geometry->level_count;
		uint32_t width = last ? geometry->width : LOWER_WIDTH;
		uint32_t one = choose(low, begin, end, width);
		candidates.bucket[candidates.count++] = (struct bucket){one, width};
		uint32_t other = choose(high, begin, end, width);
		if (last && other != one)
			candidates.bucket[candidates.count++] = (struct bucket){other, width};
		begin = end;
	}
	return candidates;
}

void index_use_levels(inv_table *table, uint32_t levels)
{
	uint32_t used = atomic_load(&table->header->levels);

	while (used < levels &&
	       !atomic_compare_exchange_weak(&table->header->levels, &used, levels))
		continue;
}

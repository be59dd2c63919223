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

struct candidates index_candidates(const inv_table *table, const uint8_t id[16])
{
	uint64_t half[2];

	memcpy(half, id, sizeof(half));
	uint64_t hash = mix(half[0], half[1]);
	uint64_t buckets = table->geometry.buckets;
	uint32_t one = (uint32_t)((hash & 0xffffffff) * buckets >> 32);
	uint32_t other = (uint32_t)((hash >> 32) * buckets >> 32);

	return (struct candidates){
	        .first = {one * table->geometry.width, other * table->geometry.width},
	        .width = table->geometry.width,
	        .count = one == other ? 1 : 2,
	        .tag = (uint32_t)((hash ^ hash >> 23) * UINT64_C(0x9e3779b97f4a7c15) >>
	                          (64 - CONTROL_TAG_BITS)),
	};
}

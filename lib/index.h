/*
 * Where an id may be: two buckets of the control array, chosen by its hash.
 * The array is the index; there is nothing beside it that could disagree.
 */
#ifndef INDEX_H
#define INDEX_H

#include "table.h"

struct candidates {
	uint32_t first[2]; /* the first slot of each bucket; equal in a one-bucket table */
	uint32_t width;
	uint32_t count; /* buckets that differ: 1 or 2 */
	uint32_t tag;
};

struct candidates index_candidates(const inv_table *table, const uint8_t id[16]);

#endif

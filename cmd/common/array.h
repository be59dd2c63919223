/* Arrays that grow at their end. */
#ifndef ARRAY_H
#define ARRAY_H

#include <stdlib.h>

/*
 * Room for one more behind count items of size bytes each: the array, which may have moved.
 * NULL: no memory, and the array is as it was. It is full at 16, 32, 64 and so on, so that
 * its room needs not be kept: begin with NULL and 0, and add one at a time.
 */
static inline void *array_room(void *items, size_t count, size_t size)
{
	enum { FIRST = 16 };

	if (count == 0)
		return reallocarray(items, FIRST, size);
	if (count < FIRST || (count & (count - 1)) != 0)
		return items;
	return reallocarray(items, count * 2, size);
}

#endif

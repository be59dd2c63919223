/* Arrays that grow at their end: see array.h. */
#include "common/array.h"

#include <stdlib.h>

void *array_grow(void *items, size_t count, size_t *room, size_t item_bytes)
{
	if (count < *room)
		return items;

	size_t more = *room ? *room * 2 : 16;
	void *grown = realloc(items, more * item_bytes);

	if (grown)
		*room = more;
	return grown;
}

/* Arrays that grow at their end. */
#ifndef ARRAY_H
#define ARRAY_H

#include <stddef.h>

/*
 * Make room for one more item behind count items of so many bytes each.
 *   room  for how many items there is room; updated
 * Returns the items, which may have moved; NULL: no memory, and nothing has changed.
 */
void *array_grow(void *items, size_t count, size_t *room, size_t item_bytes);

#endif

/*
 * Memory that grows at its end. Its pages are asked for many at a time, ahead of their use: a
 * command that collects a table pays for a page fault each otherwise.
 */
#ifndef GROWING_H
#define GROWING_H

#include <stddef.h>

struct growing {
	char *bytes; /* moves when it grows */
	size_t used;
	size_t room;
	size_t ready; /* up to here its pages are there */
};

/* Room for so many bytes behind what is used, which the caller then counts as used. NULL: no
 * memory. */
void *growing_room(struct growing *growing, size_t bytes);

void growing_free(struct growing *growing);

#endif

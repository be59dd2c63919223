/* Memory that grows at its end: see growing.h. */
#include "invctl/growing.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	PAGE = 4096,
	STEP_BYTES = 16 * PAGE,
	ROOM_AT_FIRST = 24 * PAGE,
};

/* The whole pages of the next step; the rest, and all where the kernel can't, come by fault. */
static void make_ready(struct growing *growing, size_t until)
{
	size_t end = (until + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;

	if (end > growing->room)
		end = growing->room;

	uintptr_t first = (uintptr_t)growing->bytes + growing->ready;
	uintptr_t behind = (uintptr_t)growing->bytes + end;

	first = (first + PAGE - 1) / PAGE * PAGE;
	behind = behind / PAGE * PAGE;
	if (first < behind)
		madvise((void *)first, behind - first, MADV_POPULATE_WRITE);
	growing->ready = end;
}

void *growing_room(struct growing *growing, size_t bytes)
{
	size_t until = growing->used + bytes;

	if (until > growing->room) {
		size_t room = growing->room ? 2 * growing->room : ROOM_AT_FIRST;
		char *moved = realloc(growing->bytes, room < until ? until : room);

		if (!moved)
			return NULL;
		growing->bytes = moved;
		growing->room = room < until ? until : room;
	}
	if (until > growing->ready)
		make_ready(growing, until);
	return growing->bytes + growing->used;
}

void growing_free(struct growing *growing)
{
	free(growing->bytes);
	memset(growing, 0, sizeof(*growing));
}

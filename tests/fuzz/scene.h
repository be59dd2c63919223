/*
 * A small valid table with something of everything in it, for the fuzzer to damage,
 * and the wrappers that catch what must never happen: see scene.c.
 */
#ifndef SCENE_H
#define SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/table.h"

enum {
	SCENE_IDS = 8, /* registered in every scene, and two that are not */
	SCENE_ABSENT = 2,
	SCENE_CAPACITIES = 3,
	BYSTANDER_OWNER = 7, /* the owner's entry that names the bystander */
};

struct scene {
	char name[INV_TABLE_NAME_BYTES];
	int fd;
	struct geometry geometry;
	unsigned char *pristine; /* what the segment held when it was made */
};

/* Once: the scenes, and a process of the same user that has nothing to do with them. */
void scenes_make(void);

/* One of them, as it was made. */
struct scene *scene_reset(unsigned which);

/* The ids that stand in every scene; the last SCENE_ABSENT are not registered. */
const uint8_t *scene_id(unsigned which);

/* Aborts when the bystander is gone, and when any process but this one was signalled. */
void scene_check_bystander(void);

#endif

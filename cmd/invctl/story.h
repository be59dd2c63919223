/*
 * cancel -v: what becomes of the requests, a line on stdout for each target and event.
 *
 *	story = story_begin(table, &targets, flags);   before the requests
 *	story_go_on(story);                            after them, and again while they are awaited
 */
#ifndef STORY_H
#define STORY_H

#include "invctl.h"
#include "invctl/selectors.h"

struct story;

/* See what each target is before its request. NULL: no memory. */
struct story *story_begin(inv_table *table, const struct targets *targets, unsigned flags);

/* Print what is new of each target whose request was made. */
void story_go_on(struct story *story);

/* NULL is ignored. */
void story_free(struct story *story);

#endif

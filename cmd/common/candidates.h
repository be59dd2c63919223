/*
 * What an ambiguous selector may mean: the invocations that it fits, live ones before finished
 * ones, each kind the newest first. The first few are kept, all are counted.
 */
#ifndef CANDIDATES_H
#define CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "invctl.h"

enum { CANDIDATES_SHOWN = 10 };

struct candidate {
	uint8_t id[16];
	int status;
	int kind;
	bool live;
	int64_t age_ns; /* since it was registered; of a finished one, since it ended */
	char name[INV_NAME_BYTES];
};

struct candidates {
	size_t count; /* of all, also those that are not kept */
	struct candidate first[CANDIDATES_SHOWN];
};

void candidates_add(struct candidates *candidates, const struct inv_info *info, bool live);

/*
 * Say that text means all of them, and a line for each that is kept: its id, how old it is, its
 * command (its name where that is not known). On a terminal the id is shortened, and the line
 * fits.
 */
void candidates_tell(inv_table *table, const char *text, const struct candidates *candidates);

#endif

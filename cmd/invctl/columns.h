/*
 * The columns of list: one table of descriptions, from which the headings, the
 * cells, --output and --help are made.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "listing.h"

enum { COLUMNS_MAX = 32 };

struct column;

/* The columns chosen, in their order. */
struct columns {
	const struct column *list[COLUMNS_MAX];
	int count;
};

/* How rows are shown. */
struct columns_style {
	inv_table *table; /* for what is not in a row itself */
	int id_digits;
	bool headings;
};

/* Those that are shown unless --output says otherwise. */
void columns_default(struct columns *columns);

/* Read a list of names separated by commas; one that begins with + is appended to what is there.
 * NULL; or the first name that is none. */
const char *columns_parse(char *names, struct columns *columns);

/* A line for each column that there is. */
void columns_help(FILE *out);

/* Print rows on stdout, aligned. false: no memory, and nothing was printed. */
bool columns_print(const struct columns *columns, const struct listing *listing,
                   const struct columns_style *style);

/* The state at a glance: pending, running, asked, overdue, shielded, paused, finishing (several
 * joined by commas); of what has ended, its status. */
void state_format(const struct inv_info *info, char *text, size_t size);

#endif

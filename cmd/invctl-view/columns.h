/* The columns of list: one table of them drives what is printed, -o, and --help. */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "invctl-view/listing.h"
#include "invctl.h"

enum { COLUMNS_MAX = 64 };

struct column;

struct columns {
	const struct column *list[COLUMNS_MAX];
	int count;
};

/* The usual ones: of live invocations, or where finished ones are shown too. */
void columns_usual(struct columns *columns, bool finished);

/*
 * Set the columns to the names, which are separated by commas; behind a + they are added. The
 * names are cut up. NULL; or the name that is no column, or is one too many.
 */
const char *columns_parse(char *names, struct columns *columns);

/* Add those of more that there is room for. */
void columns_add(struct columns *columns, const struct columns *more);

/* A line for each: its name and what it tells. */
void columns_help(FILE *out);

/* How they are printed. */
struct columns_style {
	bool headings;
	bool color;
	bool short_ids;
	bool blank;       /* nothing instead of a hyphen in a column of free text */
	bool all_columns; /* also those that do not fit the width */
	int width;        /* free text is cut so that a line has no more places; 0: it is not cut */
};

/* Print the rows on stdout. 0; or a negative errno. */
int columns_print(inv_table *table, const struct listing *listing, const struct columns *columns,
                  const struct columns_style *style);

#endif

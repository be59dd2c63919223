/*
 * The columns of list: one table of descriptions, from which the headings, the
 * cells, --output and --help are made.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "invctl/listing.h"

enum { COLUMNS_MAX = 32 };

struct column;

/* The columns chosen, in their order. */
struct columns {
	const struct column *list[COLUMNS_MAX];
	int count;
};

/* The cells of all rows, made while they are collected: those of a row behind each other. */
struct columns_cells {
	const struct columns *columns;
	inv_table *table;
	int64_t now_ns; /* 0: not asked yet */
	struct growing memory;
};

/* Those that are shown unless --output says otherwise. */
void columns_default(struct columns *columns);

/* Read a list of names separated by commas; one that begins with + is appended to what is there.
 * NULL; or the first name that is none. */
const char *columns_parse(char *names, struct columns *columns);

/* A line for each column that there is. */
void columns_help(FILE *out);

/* Make the cells of a row, and tell where they are: a listing's maker, with struct
 * columns_cells as its argument. 0 or -ENOMEM. */
int columns_make(const struct inv_info *info, void *cells, size_t *content);

/* Print the rows on stdout, aligned. */
void columns_print(const struct columns_cells *cells, const struct listing *listing, bool headings);

/* The state at a glance: pending, running, asked, overdue, shielded, paused, finishing (several
 * joined by commas); of what has ended, its status. */
void state_format(const struct inv_info *info, char *text, size_t size);

#endif

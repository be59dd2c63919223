/* The columns that there are: what each is called, and how its cells are made. */
#ifndef CELLS_H
#define CELLS_H

#include "invctl/columns.h"

enum { CELL_BYTES = 1024 };

/* What a cell is made from. */
struct cell_source {
	const struct inv_info *info;
	inv_table *table; /* for what is not in the row itself */
	int64_t now_ns;   /* time of day */
};

enum column_kind {
	COLUMN_OURS, /* our own words, which need no escaping */
	COLUMN_ID,   /* the row's id, cut to the digits that tell it from others: no cell is kept */
	COLUMN_OTHERS, /* text of others */
	COLUMN_TREE,   /* the same, behind its depth in the tree */
};

/* An empty cell is shown as "-", so that every line has the same number of words. */
struct column {
	const char *name;
	const char *heading;
	const char *help;
	void (*format)(const struct cell_source *source, char cell[CELL_BYTES]);
	enum column_kind kind;
};

enum { DEFAULT_COLUMNS = 6 }; /* the first ones */

extern const struct column all_columns[];
extern const int all_columns_count;

#endif

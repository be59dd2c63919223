/*
 * Aligned columns on stdout, by libsmartcols. Here is what it does not do: text that is too
 * wide for a terminal is cut before, and ends with an ellipsis where it was.
 *
 * A failure (no memory) is kept, and told by grid_print.
 */
#ifndef GRID_H
#define GRID_H

#include <stdbool.h>

struct grid;

/* NULL where there is no memory, which the other calls take. */
struct grid *grid_new(bool headings, bool color);

/* One more column; before the first row. */
void grid_column(struct grid *grid, const char *heading, bool may_be_cut);

/* The next row: what follows is of it. */
void grid_row(struct grid *grid);
void grid_cell(struct grid *grid, int column, const char *text);

/* The escape sequences of colours; NULL: none. */
void grid_color_row(struct grid *grid, const char *color);
void grid_color_cell(struct grid *grid, int column, const char *color);

/* Print it, in lines of at most so many places (0: as wide as it is), and free it. The last columns
 * are left out where they don't fit, unless all are wanted. 0; -ENOMEM. */
int grid_print(struct grid *grid, int width, bool all_columns);

#endif

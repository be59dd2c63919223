/* The columns of list: chosen, explained and printed. */
#include "columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cells.h"
#include "escape.h"
#include "time_text.h"

void columns_default(struct columns *columns)
{
	for (int i = 0; i < DEFAULT_COLUMNS; i++)
		columns->list[i] = &all_columns[i];
	columns->count = DEFAULT_COLUMNS;
}

static const struct column *find_column(const char *name)
{
	for (int i = 0; i < all_columns_count; i++)
		if (strcasecmp(name, all_columns[i].name) == 0)
			return &all_columns[i];
	return NULL;
}

const char *columns_parse(char *names, struct columns *columns)
{
	char *rest = names;

	if (names[0] == '+')
		rest++;
	else
		columns->count = 0;
	for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ",")) {
		const struct column *column = find_column(name);

		if (!column || columns->count == COLUMNS_MAX)
			return name;
		columns->list[columns->count++] = column;
	}
	return NULL;
}

void columns_help(FILE *out)
{
	for (int i = 0; i < all_columns_count; i++)
		fprintf(out, "  %-10s  %s\n", all_columns[i].name, all_columns[i].help);
}

static void make_cell(const struct column *column, const struct cell_source *source,
                      char cell[CELL_BYTES])
{
	char raw[CELL_BYTES];

	column->format(source, raw);
	if (escape_text(raw, cell, CELL_BYTES) == 0)
		strcpy(cell, "-");
}

/* Characters, which on nearly every terminal are as many places. */
static int text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* The cells of all lines, formatted once: a text behind the other, each with its width. */
struct cells {
	char *text;
	size_t used, room;
};

static bool add_cell(struct cells *cells, const char *cell)
{
	size_t length = strlen(cell) + 1;

	if (cells->used + length > cells->room) {
		size_t room = 2 * cells->room + length + CELL_BYTES;
		char *text = realloc(cells->text, room);

		if (!text)
			return false;
		cells->text = text;
		cells->room = room;
	}
	memcpy(cells->text + cells->used, cell, length);
	cells->used += length;
	return true;
}

static void widen(int *width, const char *cell)
{
	int wanted = text_width(cell);

	if (wanted > *width)
		*width = wanted;
}

/* The last column is not padded, so its width is not asked for. */
static bool make_cells(const struct columns *columns, const struct listing *listing,
                       struct cell_source *source, struct cells *cells, int widths[COLUMNS_MAX])
{
	char cell[CELL_BYTES];

	for (int i = 0; source->style->headings && i < columns->count; i++) {
		widen(&widths[i], columns->list[i]->heading);
		if (!add_cell(cells, columns->list[i]->heading))
			return false;
	}
	for (size_t row = 0; row < listing->count; row++) {
		source->row = &listing->rows[row];
		for (int i = 0; i < columns->count; i++) {
			make_cell(columns->list[i], source, cell);
			widen(&widths[i], cell);
			if (!add_cell(cells, cell))
				return false;
		}
	}
	return true;
}

static void pad(int width)
{
	static const char blanks[] = "                                ";
	int most = (int)sizeof(blanks) - 1;

	for (; width > 0; width -= most)
		fwrite(blanks, 1, (size_t)(width < most ? width : most), stdout);
}

static void print_cells(const struct columns *columns, const struct cells *cells,
                        const int widths[COLUMNS_MAX])
{
	const char *end = cells->text + cells->used;
	int column = 0;

	for (const char *cell = cells->text; cell < end; cell += strlen(cell) + 1) {
		fputs(cell, stdout);
		if (++column < columns->count) {
			pad(widths[column - 1] - text_width(cell) + 2);
		} else {
			putchar('\n');
			column = 0;
		}
	}
}

bool columns_print(const struct columns *columns, const struct listing *listing,
                   const struct columns_style *style)
{
	struct cell_source source = {.style = style, .now_ns = time_of_day_ns()};
	int widths[COLUMNS_MAX] = {0};
	struct cells cells = {0};
	bool made = make_cells(columns, listing, &source, &cells, widths);

	if (made)
		print_cells(columns, &cells, widths);
	free(cells.text);
	return made;
}

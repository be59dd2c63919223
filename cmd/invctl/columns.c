/* The columns of list: chosen, explained and printed. */
#include "columns.h"

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

static void print_line(const struct columns *columns, const int widths[COLUMNS_MAX],
                       void (*get)(const struct column *, const struct cell_source *, char *),
                       const struct cell_source *source)
{
	for (int i = 0; i < columns->count; i++) {
		char cell[CELL_BYTES];
		bool last = i == columns->count - 1;

		get(columns->list[i], source, cell);
		fputs(cell, stdout);
		if (!last)
			printf("%*s", widths[i] - text_width(cell) + 2, "");
	}
	putchar('\n');
}

static void get_heading(const struct column *column, const struct cell_source *source, char *cell)
{
	(void)source;
	snprintf(cell, CELL_BYTES, "%s", column->heading);
}

/* The last column is not padded, so its width is not asked for. */
static void measure(const struct columns *columns, const struct listing *listing,
                    struct cell_source *source, int widths[COLUMNS_MAX])
{
	for (int i = 0; i < columns->count - 1; i++) {
		char cell[CELL_BYTES];

		widths[i] = source->style->headings ? text_width(columns->list[i]->heading) : 0;
		for (size_t row = 0; row < listing->count; row++) {
			source->row = &listing->rows[row];
			make_cell(columns->list[i], source, cell);
			if (text_width(cell) > widths[i])
				widths[i] = text_width(cell);
		}
	}
}

void columns_print(const struct columns *columns, const struct listing *listing,
                   const struct columns_style *style)
{
	struct cell_source source = {.style = style, .now_ns = time_of_day_ns()};
	int widths[COLUMNS_MAX] = {0};

	measure(columns, listing, &source, widths);
	if (style->headings)
		print_line(columns, widths, get_heading, &source);
	for (size_t row = 0; row < listing->count; row++) {
		source.row = &listing->rows[row];
		print_line(columns, widths, make_cell, &source);
	}
}

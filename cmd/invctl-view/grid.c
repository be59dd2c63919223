/* Aligned columns on stdout: see grid.h. */
#include "invctl-view/grid.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { COLUMNS_MAX = 64, SEPARATOR = 2, NARROWEST = 8 };

struct grid {
	struct libscols_table *table;
	struct libscols_line *row;
	bool cut[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX]; /* places of the widest cell */
	size_t columns;
	bool failed;
};

/* The character at text: its bytes, and its places on a terminal. */
static size_t measure_character(const char *text, size_t *places)
{
	mbstate_t state = {0};
	wchar_t character;
	size_t bytes = mbrtowc(&character, text, MB_CUR_MAX, &state);

	if (bytes == 0 || bytes > MB_CUR_MAX) {
		*places = 1;
		return 1;
	}

	int width = wcwidth(character);

	*places = width < 0 ? 1 : (size_t)width;
	return bytes;
}

/* The bytes of text that have at most so many places; how many they have. */
static size_t fitting(const char *text, size_t limit, size_t *places)
{
	size_t used = 0, width;

	*places = 0;
	while (text[used]) {
		size_t bytes = measure_character(text + used, &width);

		if (*places + width > limit)
			break;
		*places += width;
		used += bytes;
	}
	return used;
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

/*
 * Names are UTF-8 whatever the user's locale, so it is set where the first character needs it. In
 * most tables all is ASCII: then the locale stays "C", in which libsmartcols measures faster. In
 * "C" it must never see other bytes, of which it makes an endless loop.
 */
static bool know_utf8(void)
{
	static bool known;

	if (!known)
		known = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
	return known;
}

static size_t places_of(const char *text)
{
	size_t places;

	if (is_ascii(text))
		return strlen(text);
	fitting(text, SIZE_MAX / 2, &places);
	return places;
}

struct grid *grid_new(bool headings, bool color)
{
	struct grid *grid = calloc(1, sizeof(*grid));

	if (!grid)
		return NULL;
	grid->table = scols_new_table();
	grid->failed = !grid->table;
	if (grid->failed)
		return grid;
	/* What is printed is escaped already, and of a width of its own choice. */
	scols_table_enable_noencoding(grid->table, 1);
	scols_table_set_termforce(grid->table, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_noheadings(grid->table, !headings);
	scols_table_enable_colors(grid->table, color);
	if (scols_table_set_column_separator(grid->table, "  ") != 0)
		grid->failed = true;
	return grid;
}

void grid_column(struct grid *grid, const char *heading, bool may_be_cut)
{
	if (!grid || grid->failed)
		return;
	if (grid->columns == COLUMNS_MAX || !scols_table_new_column(grid->table, heading, 0, 0)) {
		grid->failed = true;
		return;
	}
	grid->cut[grid->columns] = may_be_cut;
	grid->widths[grid->columns++] = strlen(heading);
}

void grid_row(struct grid *grid)
{
	if (!grid || grid->failed)
		return;
	grid->row = scols_table_new_line(grid->table, NULL);
	grid->failed = !grid->row;
}

void grid_cell(struct grid *grid, int column, const char *text)
{
	if (!grid || grid->failed)
		return;

	char *copy = strdup(text);

	grid->failed = !copy;
	if (!copy)
		return;
	if (!is_ascii(copy) && !know_utf8())
		for (char *at = copy; *at; at++)
			*at = (unsigned char)*at < 0x80 ? *at : '?';

	size_t places = places_of(copy);

	if (places > grid->widths[column])
		grid->widths[column] = places;
	grid->failed = scols_line_refer_data(grid->row, (size_t)column, copy) != 0;
}

void grid_color_row(struct grid *grid, const char *color)
{
	if (grid && !grid->failed)
		grid->failed = scols_line_set_color(grid->row, color) != 0;
}

void grid_color_cell(struct grid *grid, int column, const char *color)
{
	if (!grid || grid->failed)
		return;

	struct libscols_cell *cell = scols_line_get_cell(grid->row, (size_t)column);

	grid->failed = scols_cell_set_color(cell, color) != 0;
}

/* The widest column that may be cut gives places, until all have room. */
static bool find_widths(struct grid *grid, size_t width)
{
	size_t total = SEPARATOR * (grid->columns - 1);
	bool any = false;

	for (size_t i = 0; i < grid->columns; i++)
		total += grid->widths[i];
	while (total > width) {
		size_t widest = grid->columns;

		for (size_t i = 0; i < grid->columns; i++)
			if (grid->cut[i] && grid->widths[i] > NARROWEST &&
			    (widest == grid->columns || grid->widths[i] > grid->widths[widest]))
				widest = i;
		if (widest == grid->columns)
			break;
		grid->widths[widest]--;
		total--;
		any = true;
	}
	return any;
}

/* Where cutting is not enough, the last columns are left out, and one is always kept. */
static void leave_out_columns(struct grid *grid, size_t width)
{
	size_t total = 0;

	for (size_t i = 0; i < grid->columns && !grid->failed; i++) {
		struct libscols_column *column = scols_table_get_column(grid->table, i);

		total += grid->widths[i] + (i > 0 ? SEPARATOR : 0);
		if (i > 0 && total > width)
			grid->failed = scols_column_set_flags(column, SCOLS_FL_HIDDEN) != 0;
	}
}

static int cut_cell(struct libscols_cell *cell, size_t width)
{
	const char *text = scols_cell_get_data(cell);
	const char *ellipsis = know_utf8() ? "…" : "~";
	size_t places;

	if (!text || places_of(text) <= width)
		return 0;

	size_t kept = fitting(text, width - 1, &places);
	char *shorter = malloc(kept + strlen(ellipsis) + 1);

	if (!shorter)
		return -ENOMEM;
	memcpy(shorter, text, kept);
	strcpy(shorter + kept, ellipsis);
	return scols_cell_refer_data(cell, shorter);
}

static void cut_cells(struct grid *grid)
{
	struct libscols_iter *at = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;

	grid->failed = !at;
	while (!grid->failed && scols_table_next_line(grid->table, at, &line) == 0)
		for (size_t i = 0; i < grid->columns && !grid->failed; i++)
			if (grid->cut[i])
				grid->failed = cut_cell(scols_line_get_cell(line, i),
				                        grid->widths[i]) != 0;
	scols_free_iter(at);
}

/* Of a table without rows, which libsmartcols prints as nothing. */
static void print_headings(const struct grid *grid)
{
	if (scols_table_is_noheadings(grid->table))
		return;
	for (size_t i = 0; i < grid->columns; i++) {
		struct libscols_column *column = scols_table_get_column(grid->table, i);

		if (!scols_column_is_hidden(column))
			printf("%s%s", i > 0 ? "  " : "", scols_column_get_name(column));
	}
	putchar('\n');
}

int grid_print(struct grid *grid, int width, bool all_columns)
{
	if (!grid)
		return -ENOMEM;
	if (!grid->failed && width > 0 && find_widths(grid, (size_t)width))
		cut_cells(grid);
	if (!grid->failed && width > 0 && !all_columns)
		leave_out_columns(grid, (size_t)width);
	if (!grid->failed && scols_table_is_empty(grid->table))
		print_headings(grid);
	else if (!grid->failed)
		grid->failed = scols_print_table(grid->table) != 0;

	int error = grid->failed ? -ENOMEM : 0;

	scols_unref_table(grid->table);
	free(grid);
	return error;
}

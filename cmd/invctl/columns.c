/* The columns of list: chosen, explained and printed. */
#include "invctl/columns.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/escape.h"
#include "invctl/cells.h"
#include "invctl/time_text.h"

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

/* A cell as it is kept: its length, its places, its bytes. */
struct cell {
	uint16_t length;
	uint16_t width;
	char text[];
};

/* Characters, which on nearly every terminal are as many places. */
static size_t text_width(const char *text, size_t length)
{
	size_t width = length;

	for (size_t i = 0; i < length; i++)
		width -= ((unsigned char)text[i] & 0xc0) == 0x80;
	return width;
}

/* Cells are aligned for their numbers. */
static size_t cell_bytes(const struct cell *cell)
{
	size_t align = _Alignof(struct cell);

	return (sizeof(*cell) + cell->length + align - 1) / align * align;
}

static const struct cell *next_cell(const struct cell *cell)
{
	return (const struct cell *)(const void *)((const char *)cell + cell_bytes(cell));
}

/* Format a cell; returns its length. */
static size_t fill_cell(const struct column *column, const struct cell_source *source,
                        struct cell *cell)
{
	char raw[CELL_BYTES];
	size_t length;

	if (column->kind == COLUMN_OTHERS || column->kind == COLUMN_TREE) {
		column->format(source, raw);
		length = escape_text(raw, cell->text, CELL_BYTES);
		cell->width = (uint16_t)text_width(cell->text, length);
	} else {
		column->format(source, cell->text);
		length = strlen(cell->text);
		cell->width = (uint16_t)length;
	}
	if (length > 0)
		return length;
	cell->text[0] = '-';
	cell->width = 1;
	return 1;
}

int columns_make(const struct inv_info *info, void *arg, size_t *content)
{
	struct columns_cells *cells = arg;
	const struct columns *columns = cells->columns;
	const size_t room = (size_t)columns->count * (sizeof(struct cell) + CELL_BYTES);

	if (!growing_room(&cells->memory, room))
		return -ENOMEM;
	if (cells->now_ns == 0)
		cells->now_ns = time_of_day_ns();

	struct cell_source source = {info, cells->table, cells->now_ns};

	*content = cells->memory.used;
	for (int i = 0; i < columns->count; i++) {
		if (columns->list[i]->kind == COLUMN_ID)
			continue;

		char *at = cells->memory.bytes + cells->memory.used;
		struct cell *cell = (struct cell *)(void *)at;

		cell->length = (uint16_t)fill_cell(columns->list[i], &source, cell);
		cells->memory.used += cell_bytes(cell);
	}
	return 0;
}

/* A cell as it is shown. */
struct shown {
	size_t indent; /* places before it */
	size_t length;
	size_t width; /* with the indent */
};

static size_t id_length(const struct listing *listing)
{
	size_t digits = (size_t)listing->id_digits;

	/* Hyphens stand behind 8, 12, 16 and 20 digits. */
	return digits + (digits <= 8 ? 0 : digits <= 20 ? (digits - 5) / 4 : 4);
}

static struct shown shape(const struct column *column, const struct listing_row *row,
                          const struct cell *cell)
{
	enum { DEPTH_SHOWN = 100 };
	struct shown shown = {0, cell->length, cell->width};

	if (column->kind == COLUMN_TREE && row->depth > 0) {
		shown.indent = 2 * (size_t)(row->depth < DEPTH_SHOWN ? row->depth : DEPTH_SHOWN);
		shown.width += shown.indent;
	}
	return shown;
}

static void measure(const struct columns_cells *cells, const struct listing *listing, bool headings,
                    size_t widths[COLUMNS_MAX])
{
	const struct columns *columns = cells->columns;

	for (int i = 0; i < columns->count; i++) {
		widths[i] = headings ? strlen(columns->list[i]->heading) : 0;
		if (columns->list[i]->kind == COLUMN_ID && listing->count > 0)
			widths[i] = id_length(listing);
	}
	for (size_t at = 0; at < listing->count; at++) {
		const struct listing_row *row = &listing->rows[at];
		const struct cell *cell = (const void *)(cells->memory.bytes + row->content);

		for (int i = 0; i < columns->count; i++) {
			if (columns->list[i]->kind == COLUMN_ID)
				continue;
			size_t width = shape(columns->list[i], row, cell).width;
			if (width > widths[i])
				widths[i] = width;
			cell = next_cell(cell);
		}
	}
}

/* Lines on their way to stdout: a stream's every call would cost as much as a cell. */
struct lines {
	size_t used;
	char bytes[16384];
};

static void flush_lines(struct lines *lines)
{
	fwrite(lines->bytes, 1, lines->used, stdout);
	lines->used = 0;
}

/* At most CELL_BYTES at once. */
static char *room_for(struct lines *lines, size_t length)
{
	if (lines->used + length > sizeof(lines->bytes))
		flush_lines(lines);
	lines->used += length;
	return lines->bytes + lines->used - length;
}

static void put(struct lines *lines, const char *text, size_t length)
{
	memcpy(room_for(lines, length), text, length);
}

static void put_blanks(struct lines *lines, size_t count)
{
	memset(room_for(lines, count), ' ', count);
}

/* The last column is not padded. */
static void end_cell(struct lines *lines, bool last, size_t missing)
{
	if (last)
		put(lines, "\n", 1);
	else
		put_blanks(lines, missing + 2);
}

static void put_headings(struct lines *lines, const struct columns *columns,
                         const size_t widths[COLUMNS_MAX])
{
	for (int i = 0; i < columns->count; i++) {
		const char *heading = columns->list[i]->heading;

		put(lines, heading, strlen(heading));
		end_cell(lines, i + 1 == columns->count, widths[i] - strlen(heading));
	}
}

static void put_id(struct lines *lines, const uint8_t id[16], size_t length)
{
	char text[37];

	inv_id_format(id, text);
	put(lines, text, length);
}

static void put_row(struct lines *lines, const struct columns_cells *cells,
                    const struct listing *listing, const struct listing_row *row,
                    const size_t widths[COLUMNS_MAX])
{
	const struct columns *columns = cells->columns;
	const struct cell *cell = (const void *)(cells->memory.bytes + row->content);

	for (int i = 0; i < columns->count; i++) {
		bool last = i + 1 == columns->count;

		if (columns->list[i]->kind == COLUMN_ID) {
			put_id(lines, row->id, id_length(listing));
			end_cell(lines, last, widths[i] - id_length(listing));
			continue;
		}

		struct shown shown = shape(columns->list[i], row, cell);

		if (shown.indent > 0) {
			put_blanks(lines, shown.indent - 2);
			put(lines, "- ", 2);
		}
		put(lines, cell->text, shown.length);
		end_cell(lines, last, widths[i] - shown.width);
		cell = next_cell(cell);
	}
}

void columns_print(const struct columns_cells *cells, const struct listing *listing, bool headings)
{
	struct lines lines = {.used = 0};
	size_t widths[COLUMNS_MAX];

	/* The lines are its buffer. */
	setvbuf(stdout, NULL, _IONBF, 0);
	measure(cells, listing, headings, widths);
	if (headings)
		put_headings(&lines, cells->columns, widths);
	for (size_t at = 0; at < listing->count; at++)
		put_row(&lines, cells, listing, &listing->rows[at], widths);
	flush_lines(&lines);
}

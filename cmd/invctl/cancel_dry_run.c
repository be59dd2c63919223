/*
 * cancel --dry-run: see cancel_dry_run.h.
 *
 * As in the cascade of a request, a finished invocation has live descendants still. Parents are
 * registered before their children, so in that order one pass mostly finds all.
 */
#include "invctl/cancel_dry_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/array.h"
#include "common/escape.h"
#include "common/message.h"
#include "invctl-exit-status.h"

enum { NO_TARGET = -1 };

struct row {
	uint8_t id[16], parent[16];
	char name[INV_NAME_BYTES], parent_name[INV_NAME_BYTES];
	int64_t registered_ns;
	bool live, is_target;
	long target; /* that it is, or is nested in */
};

struct rows {
	struct row *list;
	size_t count;
};

static int collect(const struct inv_info *info, void *arg)
{
	struct rows *rows = arg;
	struct row *list = array_room(rows->list, rows->count, sizeof(*list));

	if (!list)
		return 1;
	rows->list = list;
	struct row *row = &list[rows->count++];
	*row = (struct row){.registered_ns = info->requested_ns,
	                    .live = info->completed_ns == 0,
	                    .target = NO_TARGET};
	memcpy(row->id, info->id, sizeof(row->id));
	memcpy(row->parent, info->parent, sizeof(row->parent));
	memcpy(row->name, info->name, sizeof(row->name));
	return 0;
}

static int by_registration(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return (one->registered_ns > other->registered_ns) -
	       (one->registered_ns < other->registered_ns);
}

static struct row *find(const struct rows *rows, const uint8_t id[16])
{
	for (size_t i = 0; i < rows->count; i++)
		if (memcmp(rows->list[i].id, id, 16) == 0)
			return &rows->list[i];
	return NULL;
}

static void mark_targets(struct rows *rows, const struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct row *row =
		        targets->list[i].failure == 0 ? find(rows, targets->list[i].id) : NULL;

		if (!row || !row->live || row->is_target)
			continue;
		row->is_target = true;
		row->target = (long)i;
	}
}

static void mark_nested(struct rows *rows)
{
	static const uint8_t none[16];

	for (bool found = true; found;) {
		found = false;
		for (size_t i = 0; i < rows->count; i++) {
			struct row *row = &rows->list[i];
			if (row->target != NO_TARGET || memcmp(row->parent, none, 16) == 0)
				continue;
			const struct row *parent = find(rows, row->parent);
			if (!parent || parent->target == NO_TARGET)
				continue;
			row->target = parent->target;
			memcpy(row->parent_name, parent->name, sizeof(row->parent_name));
			found = true;
		}
	}
}

static void print_row(const struct row *row)
{
	char id_text[INV_ID_TEXT_BYTES], name[ESCAPED_BYTES(INV_NAME_BYTES)];

	inv_id_format(row->id, id_text);
	escape_text(row->name, name, sizeof(name));
	if (row->is_target) {
		printf("%s %s\n", id_text, name);
		return;
	}
	printf("  %s %s, nested in ", id_text, name);
	escape_text(row->parent_name, name, sizeof(name));
	printf("%s\n", name);
}

static void print_target(const struct rows *rows, long target)
{
	for (int nested = 0; nested < 2; nested++)
		for (size_t i = 0; i < rows->count; i++)
			if (rows->list[i].live && rows->list[i].target == target &&
			    rows->list[i].is_target == !nested)
				print_row(&rows->list[i]);
}

int cancel_dry_run(inv_table *table, const struct targets *targets, bool only)
{
	struct rows rows = {0};
	int error = inv_list(table, collect, &rows);

	if (error != 0) {
		message("the targets can't be listed: %s",
		        error > 0 ? "there is not enough memory" : inv_strerror(error));
		free(rows.list);
		return EXIT_INTERNAL;
	}
	if (rows.count > 0)
		qsort(rows.list, rows.count, sizeof(*rows.list), by_registration);
	mark_targets(&rows, targets);
	if (!only)
		mark_nested(&rows);
	for (size_t i = 0; i < targets->count; i++)
		print_target(&rows, (long)i);
	free(rows.list);
	return 0;
}

/* The columns of list: what each is called, and how its cells are made. */
#include "invctl-view/columns.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/duration.h"
#include "common/escape.h"
#include "common/runfile.h"
#include "common/short_id.h"
#include "common/signals.h"
#include "common/time_text.h"
#include "common/user.h"
#include "invctl-view/details.h"
#include "invctl-view/grid.h"
#include "invctl-view/reason.h"

enum { CELL_BYTES = 1024 };

/* What a cell is made from. */
struct source {
	const struct listing *listing;
	const struct listing_row *row;
	const struct inv_info *info; /* of the row */
	inv_table *table;            /* for what is not in the row itself */
	int64_t now_ns;              /* time of day */
	const struct columns_style *style;
};

enum {
	FREE_TEXT = 1, /* of others: it is escaped, and may be cut to fit a terminal */
	TREE = 2,      /* stands behind its branch of the tree */
	MAY_BE_BLANK = 4,
	COLORED = 8, /* by the state */
};

struct column {
	const char *name;
	const char *heading;
	const char *help;
	void (*format)(const struct source *source, char cell[CELL_BYTES]); /* "": nothing */
	unsigned flags;
};

static void format_id(const struct source *source, char cell[CELL_BYTES])
{
	inv_id_format(source->info->id, cell);
	if (source->style->short_ids)
		id_cut(cell, source->listing->id_digits);
}

static void format_uuid(const struct source *source, char cell[CELL_BYTES])
{
	inv_id_format(source->info->id, cell);
}

static void format_name(const struct source *source, char cell[CELL_BYTES])
{
	snprintf(cell, CELL_BYTES, "%s", source->info->name);
}

static void format_state(const struct source *source, char cell[CELL_BYTES])
{
	state_format(source->info, source->row->state, cell, CELL_BYTES);
}

static void format_status(const struct source *source, char cell[CELL_BYTES])
{
	snprintf(cell, CELL_BYTES, "%s", inv_status_name(source->info->status));
}

static void format_percent(const struct source *source, char cell[CELL_BYTES])
{
	if (source->info->progress_percent >= 0)
		snprintf(cell, CELL_BYTES, "%.4g%%", source->info->progress_percent);
}

/* Its own words, with the percentage unless they have a number of their own ("row 12/50"). */
static void format_progress(const struct source *source, char cell[CELL_BYTES])
{
	const char *words = source->info->progress_text;
	size_t used;

	if (source->info->progress_percent < 0)
		return;
	if (!strpbrk(words, "0123456789"))
		format_percent(source, cell);
	used = strlen(cell);
	snprintf(cell + used, CELL_BYTES - used, "%s%s", used > 0 && *words ? " " : "", words);
}

static void format_age(const struct source *source, char cell[CELL_BYTES])
{
	duration_format(source->info->age_ns, cell);
}

static void format_ran(const struct source *source, char cell[CELL_BYTES])
{
	if (source->info->started_ns != 0)
		duration_format(ran_ns(source->info), cell);
}

static void format_ago(const struct source *source, int64_t time_ns, char cell[CELL_BYTES])
{
	duration_format_rough(elapsed_ns(time_ns, source->now_ns), cell);
	strcat(cell, " ago");
}

static void format_ended(const struct source *source, char cell[CELL_BYTES])
{
	if (source->info->completed_ns != 0)
		format_ago(source, source->info->completed_ns, cell);
}

/* Of one that has ended it stands still. */
static void format_checked(const struct source *source, char cell[CELL_BYTES])
{
	const struct inv_info *info = source->info;

	if (info->last_check_ns == 0) {
		strcpy(cell, "never");
	} else if (info->completed_ns != 0) {
		duration_format_rough(elapsed_ns(info->last_check_ns, info->completed_ns), cell);
		strcat(cell, " before end");
	} else {
		format_ago(source, info->last_check_ns, cell);
	}
}

static void format_reason(const struct source *source, char cell[CELL_BYTES])
{
	struct details details = {0};
	bool need_command = source->info->cause == INV_CAUSE_EXEC;

	if (need_command)
		details_find(source->table, source->info, &details);
	reason_format(source->info, &details, cell, CELL_BYTES);
	if (need_command)
		details_free(&details);
}

static void format_parent(const struct source *source, char cell[CELL_BYTES])
{
	static const uint8_t none[16];

	if (memcmp(source->info->parent, none, sizeof(none)) != 0)
		inv_id_format(source->info->parent, cell);
}

static void format_number(int64_t number, int64_t nothing, char cell[CELL_BYTES])
{
	if (number != nothing)
		snprintf(cell, CELL_BYTES, "%lld", (long long)number);
}

static void format_pid(const struct source *source, char cell[CELL_BYTES])
{
	format_number(source->info->pid, 0, cell);
}

static void format_owner(const struct source *source, char cell[CELL_BYTES])
{
	format_number(source->info->owner_pid, 0, cell);
}

static void format_uid(const struct source *source, char cell[CELL_BYTES])
{
	format_number(source->info->uid, -1, cell);
}

static void format_user(const struct source *source, char cell[CELL_BYTES])
{
	user_format(source->info->uid, cell, CELL_BYTES);
}

static void format_time(int64_t time_ns, char cell[CELL_BYTES])
{
	if (time_ns != 0)
		time_format(time_ns, cell);
}

static void format_requested(const struct source *source, char cell[CELL_BYTES])
{
	format_time(source->info->requested_ns, cell);
}

static void format_started(const struct source *source, char cell[CELL_BYTES])
{
	format_time(source->info->started_ns, cell);
}

static void format_completed(const struct source *source, char cell[CELL_BYTES])
{
	format_time(source->info->completed_ns, cell);
}

static void format_deadline(const struct source *source, char cell[CELL_BYTES])
{
	format_time(source->info->deadline_ns, cell);
}

static void format_cause(const struct source *source, char cell[CELL_BYTES])
{
	const struct inv_info *info = source->info;
	int cause = info->cause != INV_CAUSE_NONE ? info->cause : info->cancel.cause;

	if (cause != INV_CAUSE_NONE)
		snprintf(cell, CELL_BYTES, "%s", inv_cause_name(cause));
}

static void format_exit(const struct source *source, char cell[CELL_BYTES])
{
	format_number(source->info->exit_status, -1, cell);
}

static void format_signal(const struct source *source, char cell[CELL_BYTES])
{
	if (source->info->term_signal != 0)
		signal_format(source->info->term_signal, cell);
}

static void format_command(const struct source *source, char cell[CELL_BYTES])
{
	struct details details;

	details_find(source->table, source->info, &details);
	command_format(details.command, cell, CELL_BYTES);
	details_free(&details);
}

static void format_cwd(const struct source *source, char cell[CELL_BYTES])
{
	struct details details;

	details_find(source->table, source->info, &details);
	snprintf(cell, CELL_BYTES, "%s", details.cwd ? details.cwd : "");
	details_free(&details);
}

static const struct column columns_known[] = {
        {"id", "ID", "the id; on a terminal as many digits as tell it from others", format_id, 0},
        {"name", "NAME", "the name of the action", format_name, FREE_TEXT | TREE},
        {"state", "STATE", "the state at a glance", format_state, COLORED},
        {"progress", "PROGRESS", "how far it is: percentage, or words that have a number",
         format_progress, FREE_TEXT},
        {"age", "AGE", "since it was registered, until it ended", format_age, 0},
        {"checked", "CHECKED", "how long ago it last checked for a request", format_checked, 0},
        {"ran", "RAN", "since it started, until it ended", format_ran, 0},
        {"ended", "ENDED", "how long ago it ended", format_ended, 0},
        {"reason", "REASON", "why it ended or is to stop, and who requested it", format_reason,
         FREE_TEXT | MAY_BE_BLANK},
        {"uuid", "UUID", "the whole id", format_uuid, 0},
        {"status", "STATUS", "pending, running, completed, cancelled, error", format_status, 0},
        {"percent", "PERCENT", "progress as a percentage", format_percent, 0},
        {"parent", "PARENT", "the id of the invocation that started it", format_parent, 0},
        {"pid", "PID", "process of the command", format_pid, 0},
        {"owner", "OWNER", "process that reports how it ends", format_owner, 0},
        {"user", "USER", "user of its owner", format_user, FREE_TEXT},
        {"uid", "UID", "number of that user", format_uid, 0},
        {"requested", "REQUESTED", "when it was registered", format_requested, 0},
        {"started", "STARTED", "when it started", format_started, 0},
        {"completed", "COMPLETED", "when it ended", format_completed, 0},
        {"deadline", "DEADLINE", "when a request will be made of it", format_deadline, 0},
        {"cause", "CAUSE", "why it ended, or is to stop, in one word", format_cause, 0},
        {"exit", "EXIT", "exit status of the command", format_exit, 0},
        {"signal", "SIGNAL", "signal that killed the command", format_signal, 0},
        {"command", "COMMAND", "the command and its arguments", format_command, FREE_TEXT},
        {"cwd", "CWD", "its directory", format_cwd, FREE_TEXT},
};

enum { KNOWN = sizeof(columns_known) / sizeof(columns_known[0]) };

static const struct column *find_column(const char *name)
{
	for (int i = 0; i < KNOWN; i++)
		if (strcasecmp(name, columns_known[i].name) == 0)
			return &columns_known[i];
	return NULL;
}

void columns_usual(struct columns *columns, bool finished)
{
	char live_names[] = "id,name,state,progress,age,checked";
	char finished_names[] = "id,name,state,ran,ended,reason";

	columns_parse(finished ? finished_names : live_names, columns);
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

void columns_add(struct columns *columns, const struct columns *more)
{
	for (int i = 0; i < more->count && columns->count < COLUMNS_MAX; i++)
		columns->list[columns->count++] = more->list[i];
}

void columns_help(FILE *out)
{
	for (int i = 0; i < KNOWN; i++)
		fprintf(out, "  %-10s  %s\n", columns_known[i].name, columns_known[i].help);
}

/* The branches that lead to a row, the outermost first. Of a deep tree the innermost are shown. */
static size_t format_branches(const struct listing *listing, const struct listing_row *row,
                              char cell[CELL_BYTES])
{
	enum { DEPTH_SHOWN = 60, BRANCH_BYTES = 8 };
	char branches[DEPTH_SHOWN * BRANCH_BYTES + 1] = "";
	size_t at = sizeof(branches) - 1;
	const char *branch = row->last ? "└─ " : "├─ ";

	for (int shown = 0; row->depth > 0 && shown < DEPTH_SHOWN; shown++) {
		for (size_t i = strlen(branch); i > 0; i--)
			branches[--at] = branch[i - 1];
		row = &listing->rows[row->up];
		branch = row->last ? "   " : "│  ";
	}
	strcpy(cell, branches + at);
	return strlen(cell);
}

/* As it is to be printed. */
static void make_cell(const struct source *source, const struct column *column,
                      char cell[CELL_BYTES])
{
	char raw[CELL_BYTES] = "";
	size_t used = 0;

	column->format(source, raw);
	if (column->flags & TREE)
		used = format_branches(source->listing, source->row, cell);
	if (raw[0] == '\0' && !(column->flags & MAY_BE_BLANK && source->style->blank))
		strcpy(raw, "-");
	if (column->flags & FREE_TEXT)
		escape_text(raw, cell + used, CELL_BYTES - used);
	else
		strcpy(cell + used, raw);
}

static void color_row(struct grid *grid, const struct source *source, const struct columns *columns)
{
	if (source->info->completed_ns != 0)
		grid_color_row(grid, "\033[2m");
	for (int i = 0; i < columns->count; i++)
		if (columns->list[i]->flags & COLORED)
			grid_color_cell(grid, i, state_color(source->row->state));
}

int columns_print(inv_table *table, const struct listing *listing, const struct columns *columns,
                  const struct columns_style *style)
{
	struct source source = {
	        .listing = listing, .table = table, .now_ns = clock_realtime_ns(), .style = style};
	struct grid *grid = grid_new(style->headings, style->color);
	char cell[CELL_BYTES];

	for (int i = 0; i < columns->count; i++)
		grid_column(grid, columns->list[i]->heading, columns->list[i]->flags & FREE_TEXT);
	for (size_t at = 0; at < listing->count; at++) {
		source.row = &listing->rows[at];
		source.info = &source.row->info;
		grid_row(grid);
		for (int i = 0; i < columns->count; i++) {
			make_cell(&source, columns->list[i], cell);
			grid_cell(grid, i, cell);
		}
		if (style->color)
			color_row(grid, &source, columns);
	}
	return grid_print(grid, style->width, style->all_columns);
}

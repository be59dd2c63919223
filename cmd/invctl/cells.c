/* The columns that there are. */
#include "invctl/cells.h"

#include <string.h>

#include "common/duration.h"
#include "common/signals.h"
#include "invctl/details.h"
#include "invctl/time_text.h"

static void format_time(int64_t time_ns, char cell[CELL_BYTES])
{
	char text[TIME_TEXT_BYTES] = "";

	if (time_ns != 0)
		time_format(time_ns, text);
	snprintf(cell, CELL_BYTES, "%s", text);
}

static void format_number(int64_t number, int64_t nothing, char cell[CELL_BYTES])
{
	if (number == nothing)
		cell[0] = '\0';
	else
		snprintf(cell, CELL_BYTES, "%lld", (long long)number);
}

static void format_uuid(const struct cell_source *source, char cell[CELL_BYTES])
{
	inv_id_format(source->info->id, cell);
}

static void format_name(const struct cell_source *source, char cell[CELL_BYTES])
{
	strcpy(cell, source->info->name); /* a field of INV_NAME_BYTES */
}

static void format_state(const struct cell_source *source, char cell[CELL_BYTES])
{
	state_format(source->info, cell, CELL_BYTES);
}

static void format_status(const struct cell_source *source, char cell[CELL_BYTES])
{
	snprintf(cell, CELL_BYTES, "%s", inv_status_name(source->info->status));
}

static void format_progress(const struct cell_source *source, char cell[CELL_BYTES])
{
	const struct inv_info *info = source->info;

	cell[0] = '\0';
	if (info->progress_percent >= 0)
		snprintf(cell, CELL_BYTES, "%.4g%%%s%s", info->progress_percent,
		         info->progress_text[0] ? " " : "", info->progress_text);
}

static void format_age(const struct cell_source *source, char cell[CELL_BYTES])
{
	duration_format(source->info->age_ns, cell);
}

static void format_last_look(const struct cell_source *source, char cell[CELL_BYTES])
{
	int64_t look_ns = source->info->last_check_ns;
	int64_t ago_ns = source->now_ns - look_ns;

	cell[0] = '\0';
	if (look_ns != 0)
		duration_format(ago_ns < 0 ? 0 : ago_ns, cell);
}

static void format_parent(const struct cell_source *source, char cell[CELL_BYTES])
{
	static const uint8_t none[16];

	cell[0] = '\0';
	if (memcmp(source->info->parent, none, sizeof(none)) != 0)
		inv_id_format(source->info->parent, cell);
}

static void format_pid(const struct cell_source *source, char cell[CELL_BYTES])
{
	format_number(source->info->pid, 0, cell);
}

static void format_owner(const struct cell_source *source, char cell[CELL_BYTES])
{
	format_number(source->info->owner_pid, 0, cell);
}

static void format_uid(const struct cell_source *source, char cell[CELL_BYTES])
{
	format_number(source->info->uid, -1, cell);
}

static void format_requested(const struct cell_source *source, char cell[CELL_BYTES])
{
	format_time(source->info->requested_ns, cell);
}

static void format_started(const struct cell_source *source, char cell[CELL_BYTES])
{
	format_time(source->info->started_ns, cell);
}

static void format_completed(const struct cell_source *source, char cell[CELL_BYTES])
{
	format_time(source->info->completed_ns, cell);
}

static void format_deadline(const struct cell_source *source, char cell[CELL_BYTES])
{
	format_time(source->info->deadline_ns, cell);
}

static void format_cause(const struct cell_source *source, char cell[CELL_BYTES])
{
	const struct inv_info *info = source->info;
	int cause = info->cause != INV_CAUSE_NONE ? info->cause : info->cancel.cause;

	snprintf(cell, CELL_BYTES, "%s", cause == INV_CAUSE_NONE ? "" : inv_cause_name(cause));
}

static void format_reason(const struct cell_source *source, char cell[CELL_BYTES])
{
	snprintf(cell, CELL_BYTES, "%s", source->info->cancel.reason);
}

static void format_exit(const struct cell_source *source, char cell[CELL_BYTES])
{
	format_number(source->info->exit_status, -1, cell);
}

static void format_signal(const struct cell_source *source, char cell[CELL_BYTES])
{
	cell[0] = '\0';
	if (source->info->term_signal != 0)
		signal_format(source->info->term_signal, cell);
}

static void format_command(const struct cell_source *source, char cell[CELL_BYTES])
{
	struct details details;
	size_t used = 0;

	cell[0] = '\0';
	details_find(source->table, source->info, &details);
	for (char **word = details.command; word && *word && used < CELL_BYTES; word++)
		used += (size_t)snprintf(cell + used, CELL_BYTES - used, "%s%s",
		                         used > 0 ? " " : "", *word);
	details_free(&details);
}

static void format_cwd(const struct cell_source *source, char cell[CELL_BYTES])
{
	struct details details;

	details_find(source->table, source->info, &details);
	snprintf(cell, CELL_BYTES, "%s", details.cwd ? details.cwd : "");
	details_free(&details);
}

const struct column all_columns[] = {
        {"id", "ID", "the id; on a terminal as many digits as tell it from others", NULL,
         COLUMN_ID},
        {"name", "NAME", "the name of the action", format_name, COLUMN_TREE},
        {"state", "STATE", "the state at a glance", format_state, COLUMN_OURS},
        {"progress", "PROGRESS", "percent and message that it told", format_progress,
         COLUMN_OTHERS},
        {"age", "AGE", "since it was registered, until it ended", format_age, COLUMN_OURS},
        {"last-look", "LAST LOOK", "how long ago it last minded its event", format_last_look,
         COLUMN_OURS},
        {"uuid", "UUID", "the whole id", format_uuid, COLUMN_OURS},
        {"status", "STATUS", "pending, running, completed, cancelled, error", format_status,
         COLUMN_OURS},
        {"parent", "PARENT", "the id of the invocation that started it", format_parent,
         COLUMN_OURS},
        {"pid", "PID", "process of the command", format_pid, COLUMN_OURS},
        {"owner", "OWNER", "process that answers for it", format_owner, COLUMN_OURS},
        {"uid", "UID", "user of its owner", format_uid, COLUMN_OURS},
        {"requested", "REQUESTED", "when it was registered", format_requested, COLUMN_OURS},
        {"started", "STARTED", "when it started", format_started, COLUMN_OURS},
        {"completed", "COMPLETED", "when it ended", format_completed, COLUMN_OURS},
        {"deadline", "DEADLINE", "when it will be asked to stop", format_deadline, COLUMN_OURS},
        {"cause", "CAUSE", "why it ended, or was asked to", format_cause, COLUMN_OURS},
        {"reason", "REASON", "the text of the last request", format_reason, COLUMN_OTHERS},
        {"exit", "EXIT", "exit status of the command", format_exit, COLUMN_OURS},
        {"signal", "SIGNAL", "signal that killed the command", format_signal, COLUMN_OURS},
        {"command", "COMMAND", "the command and its arguments", format_command, COLUMN_OTHERS},
        {"cwd", "CWD", "its directory", format_cwd, COLUMN_OTHERS},
};

const int all_columns_count = sizeof(all_columns) / sizeof(all_columns[0]);

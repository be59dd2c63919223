/* What an ambiguous selector may mean: see candidates.h. */
#include "common/candidates.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/escape.h"
#include "common/line_width.h"
#include "common/message.h"
#include "common/runfile.h"
#include "common/short_id.h"
#include "invctl-supervisor.h"

enum { COMMAND_BYTES = 1024, AGE_BYTES = 64, COMMAND_NARROWEST = 8 };

static bool stands_before(const struct candidate *one, const struct candidate *other)
{
	if (one->live != other->live)
		return one->live;
	return one->age_ns < other->age_ns;
}

void candidates_add(struct candidates *candidates, const struct inv_info *info, bool live)
{
	struct candidate added = {.status = info->status, .kind = info->kind, .live = live};
	size_t kept = candidates->count < CANDIDATES_SHOWN ? candidates->count : CANDIDATES_SHOWN;
	size_t at = kept;

	added.age_ns = live ? info->age_ns : elapsed_ns(info->completed_ns, clock_realtime_ns());
	memcpy(added.id, info->id, sizeof(added.id));
	memcpy(added.name, info->name, sizeof(added.name));
	candidates->count++;
	while (at > 0 && stands_before(&added, &candidates->first[at - 1]))
		at--;
	if (at == CANDIDATES_SHOWN)
		return;
	if (kept == CANDIDATES_SHOWN)
		kept--;
	memmove(&candidates->first[at + 1], &candidates->first[at], (kept - at) * sizeof(added));
	candidates->first[at] = added;
}

/* How many digits tell those that are shown from every other one of the table. */
struct digits {
	const struct candidates *candidates;
	size_t shown;
	int needed;
};

static int note_digits(const struct inv_info *info, void *arg)
{
	struct digits *digits = arg;

	for (size_t i = 0; i < digits->shown; i++) {
		int needed = 1 + id_shared_digits(info->id, digits->candidates->first[i].id);

		if (needed <= ID_DIGITS && needed > digits->needed)
			digits->needed = needed;
	}
	return 0;
}

static int digits_that_tell(inv_table *table, const struct candidates *candidates, size_t shown)
{
	struct digits digits = {candidates, shown, SHORT_ID_DIGITS};

	return inv_list(table, note_digits, &digits) < 0 ? ID_DIGITS : digits.needed;
}

/* "running 4m", "cancelled 3s ago" */
static int format_age(const struct candidate *candidate, char age[AGE_BYTES])
{
	char text[DURATION_TEXT_BYTES];

	duration_format_rough(candidate->age_ns, text);
	return snprintf(age, AGE_BYTES, "%s %s%s", inv_status_name(candidate->status), text,
	                candidate->live ? "" : " ago");
}

static void format_command(inv_table *table, const struct candidate *candidate,
                           char command[COMMAND_BYTES])
{
	struct runfile run;
	char path[PATH_MAX];

	if (candidate->kind == INV_KIND_RUN &&
	    inv_state_path(table, candidate->id, "run", path, sizeof(path)) == 0 &&
	    runfile_read(path, &run) == 0) {
		command_format(run.command, command, COMMAND_BYTES);
		runfile_free(&run);
	} else {
		snprintf(command, COMMAND_BYTES, "%s", candidate->name);
	}
}

/* Behind a beginning of so many places; width is that of the terminal, or 0. */
static void cut_command(const char *command, int used, int width, char cut[COMMAND_BYTES])
{
	static const char dots[] = "...";
	char whole[ESCAPED_BYTES(COMMAND_BYTES)];
	int left = width - used > COMMAND_NARROWEST ? width - used : COMMAND_NARROWEST;
	size_t room = width > 0 && left < COMMAND_BYTES ? (size_t)left + 1 : COMMAND_BYTES;

	if (escape_text(command, whole, sizeof(whole)) < room) {
		strcpy(cut, whole);
		return;
	}
	strcpy(cut + escape_text(command, cut, room - strlen(dots)), dots);
}

static void tell_one(inv_table *table, const struct candidate *candidate, int digits, int age_width,
                     int width)
{
	char id_text[INV_ID_TEXT_BYTES], age[AGE_BYTES];
	char command[COMMAND_BYTES], cut[COMMAND_BYTES];
	int before = (int)strlen(message_program) + 2;

	inv_id_format(candidate->id, id_text);
	id_cut(id_text, digits);
	format_age(candidate, age);
	format_command(table, candidate, command);
	cut_command(command, before + (int)strlen(id_text) + 2 + age_width + 2, width, cut);
	message("%s  %-*s  %s", id_text, age_width, age, cut);
}

void candidates_tell(inv_table *table, const char *text, const struct candidates *candidates)
{
	size_t shown = candidates->count < CANDIDATES_SHOWN ? candidates->count : CANDIDATES_SHOWN;
	int width = line_width(STDERR_FILENO), age_width = 0;
	int digits = width > 0 ? digits_that_tell(table, candidates, shown) : ID_DIGITS;
	char age[AGE_BYTES];

	message("'%s' means %zu invocations; choose one by its id:", text, candidates->count);
	for (size_t i = 0; i < shown; i++) {
		int length = format_age(&candidates->first[i], age);

		age_width = length > age_width ? length : age_width;
	}
	for (size_t i = 0; i < shown; i++)
		tell_one(table, &candidates->first[i], digits, age_width, width);
	if (candidates->count > shown)
		message("and %zu more", candidates->count - shown);
}

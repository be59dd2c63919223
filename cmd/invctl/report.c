/* How far a request has come, and what would be the next stronger step. */
#include "invctl/report.h"

#include <stdio.h>

#include "common/duration.h"
#include "common/escape.h"
#include "common/time_text.h"
#include "invctl/stopped_supervisor.h"

enum { LINE_PART_BYTES = 96 };

static void describe_delivery(const struct inv_info *info, char text[LINE_PART_BYTES])
{
	char ago[DURATION_TEXT_BYTES];

	duration_format(info->cancel.age_ns, ago);
	if (info->cancel.state == INV_CANCEL_NONE)
		snprintf(text, LINE_PART_BYTES, "no request stands");
	else if (info->cancel.state == INV_CANCEL_REQUESTED)
		snprintf(text, LINE_PART_BYTES, "requested %s ago, not delivered yet%s", ago,
		         info->shielded ? " (shielded)" : "");
	else
		snprintf(text, LINE_PART_BYTES, "requested %s ago, %s", ago,
		         inv_cancel_state_name(info->cancel.state));
}

static void describe_last_check(const struct inv_info *info, char text[LINE_PART_BYTES])
{
	char ago[DURATION_TEXT_BYTES];

	if (info->last_check_ns == 0) {
		snprintf(text, LINE_PART_BYTES, "never checked");
		return;
	}

	int64_t age_ns = clock_realtime_ns() - info->last_check_ns;

	duration_format(age_ns < 0 ? 0 : age_ns, ago);
	snprintf(text, LINE_PART_BYTES, "last check %s ago", ago);
}

/* What is left to do where the request alone is not enough. */
static void describe_next(const struct inv_info *info, const char *id_text, unsigned flags,
                          char text[LINE_PART_BYTES])
{
	if (flags & INV_CANCEL_KILL)
		snprintf(text, LINE_PART_BYTES, "there is no stronger step");
	else if (supervisor_is_stopped(info))
		snprintf(text, LINE_PART_BYTES,
		         "its supervisor is stopped; next: kill -CONT %d, or invctl cancel "
		         "--kill %.8s",
		         info->owner_pid, id_text);
	else if (info->cooperative && !(flags & INV_CANCEL_SIGNAL))
		snprintf(text, LINE_PART_BYTES, "next: invctl cancel --signal %.8s", id_text);
	else if (info->no_kill)
		snprintf(text, LINE_PART_BYTES,
		         "there is no stronger step: it was run with --no-kill");
	else
		snprintf(text, LINE_PART_BYTES, "next: invctl cancel --kill %.8s", id_text);
}

void report_request(inv_table *table, const uint8_t id[16], unsigned flags)
{
	char id_text[INV_ID_TEXT_BYTES], name[4 * INV_NAME_BYTES + 1];
	char delivery[LINE_PART_BYTES], last_check[LINE_PART_BYTES], next[LINE_PART_BYTES];
	struct inv_info info;

	inv_id_format(id, id_text);
	if (inv_info_get(table, id, &info) < 0) {
		printf("%s: ended, and left no record\n", id_text);
		return;
	}
	escape_text(info.name, name, sizeof(name));
	describe_delivery(&info, delivery);
	describe_last_check(&info, last_check);
	if (info.completed_ns != 0)
		snprintf(next, sizeof(next), "ended: %s", inv_status_name(info.status));
	else
		describe_next(&info, id_text, flags, next);
	printf("%s %s: %s; %s; %s\n", id_text, name, delivery, last_check, next);
}

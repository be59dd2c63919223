/*
 * The next stronger step: see next_step.h.
 *
 * A step is named only if it would be carried out. Where a supervisor lives, it signals its own
 * processes for any requester. Where none does, the broker signals those of its own user. A program
 * that is an invocation itself is signalled by the requester, but never in a shared table, where
 * only the table says what the process is.
 */
#include "invctl/next_step.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "invctl/stopped_supervisor.h"
#include "os/clock.h"

#define ON_ITS_WAY_NS (50 * NS_PER_MS)

static bool can_be_killed(const struct inv_info *info, char text[NEXT_STEP_BYTES])
{
	if (info->no_kill)
		snprintf(text, NEXT_STEP_BYTES,
		         "there is no stronger step: it was run with --no-kill");
	return !info->no_kill;
}

/* Why no signal would be sent. */
static const char *without_signal(inv_table *table, const struct inv_info *info)
{
	struct inv_table_info of;
	bool run = info->kind == INV_KIND_RUN;

	/* Only then the table makes a difference, and its rows are counted. */
	if ((run && !info->orphaned) || inv_table_info_get(table, &of) != 0)
		return NULL;
	if (run && info->uid != of.uid)
		return "its supervisor is dead; its user, or root, can end its processes";
	if (!run && of.shared)
		return "it is a program in a shared table; its user, or root, can signal it";
	if (!run && geteuid() != 0 && info->uid != geteuid())
		return "it is another user's program";
	return NULL;
}

void next_step(inv_table *table, const struct inv_info *info, unsigned flags,
               char text[NEXT_STEP_BYTES])
{
	char id_text[INV_ID_TEXT_BYTES];
	const char *why_not = without_signal(table, info);
	bool pending = info->cancel.state == INV_CANCEL_REQUESTED ||
	               info->later.state == INV_CANCEL_REQUESTED;
	bool signalled = flags & INV_CANCEL_SIGNAL ||
	                 (info->cancel.state == INV_CANCEL_SIGNALLED && !pending);

	inv_id_format(info->id, id_text);
	if (why_not)
		snprintf(text, NEXT_STEP_BYTES, "there is no stronger step: %s", why_not);
	else if (supervisor_is_stopped(info))
		snprintf(text, NEXT_STEP_BYTES,
		         "its supervisor is stopped; next: kill -CONT %d, or invctl cancel --kill "
		         "%.8s",
		         info->owner_pid, id_text);
	else if (flags & INV_CANCEL_KILL || info->cancel.state == INV_CANCEL_KILLED)
		snprintf(text, NEXT_STEP_BYTES, "there is no stronger step than SIGKILL");
	else if (!signalled && !info->shielded && !info->finishing)
		snprintf(text, NEXT_STEP_BYTES, "next: invctl cancel --signal %.8s", id_text);
	else if (can_be_killed(info, text))
		snprintf(text, NEXT_STEP_BYTES, "next: invctl cancel --kill %.8s", id_text);
}

static bool waits_behind_signal(const struct inv_info *info)
{
	return info->completed_ns == 0 && info->kind == INV_KIND_RUN &&
	       info->cancel.state == INV_CANCEL_SIGNALLED &&
	       info->later.state == INV_CANCEL_REQUESTED && !info->cooperative;
}

/* Where the earlier signal was chosen by name (USR1), the usual one follows at once. */
bool next_step_is_signal(inv_table *table, unsigned flags, struct inv_info *info)
{
	const struct timespec moment = {.tv_nsec = ON_ITS_WAY_NS};
	uint8_t id[16];

	if (flags & (INV_CANCEL_SIGNAL | INV_CANCEL_KILL) || !waits_behind_signal(info))
		return false;
	nanosleep(&moment, NULL);
	memcpy(id, info->id, sizeof(id));
	return inv_info_get(table, id, info) == 0 && waits_behind_signal(info);
}

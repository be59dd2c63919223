/*
 * What an invocation waits for, as any process sees it: see waiting.h.
 *
 * The supervisor knows what its process had as children before it started the command (a shell's
 * process substitution); another process does not, so what is older than the action is left out.
 */
#include "supervise/waiting.h"

#include <stdio.h>
#include <string.h>

#include "os/clock.h"
#include "supervise/processes.h"

static uint64_t start_ticks(const struct inv_info *info)
{
	int64_t age_ns = clock_realtime_ns() - info->started_ns;
	uint64_t now = process_ticks_now(), age = (uint64_t)(age_ns / (10 * NS_PER_MS)) + 1;

	return age_ns > 0 && age < now ? now - age : 0;
}

void waiting_for(inv_table *table, const struct inv_info *info, struct process_list *list)
{
	struct process_scope scope = {.table = table,
	                              .uid = info->uid,
	                              .supervisor = info->orphaned ? 0 : info->owner_pid};
	uint64_t oldest = start_ticks(info);
	size_t kept = 0;

	list->count = 0;
	if (!info->finishing)
		return;
	memcpy(scope.id, info->id, sizeof(scope.id));
	/* A finish command waits for what is nested as well. */
	if (processes_find(&scope,
	                   info->finish == INV_FINISH_PENDING ? PROCESSES_EVERYTHING
	                                                      : PROCESSES_OWN,
	                   list) != 0)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].start >= oldest)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

void waiting_format(const struct inv_info *info, const struct process_list *list,
                    char text[WAITING_TEXT_BYTES])
{
	char end[END_TEXT_BYTES], names[LEFTOVERS_TEXT_BYTES];

	end_format(info->exit_status, info->term_signal, end);
	leftovers_format(list, names);
	snprintf(text, WAITING_TEXT_BYTES, "its command %s; %s%s", end,
	         *names ? "waiting for " : "its end is being recorded", names);
}

/*
 * Leftovers: see leftovers.h.
 *
 * The kernel tells when a process was started in ticks of 10 ms, which is too coarse: a script
 * starts its clean-up within a millisecond of a delivery. Within the ticks in question pids decide,
 * since the kernel gives them in turn: one that comes after the newest at the delivery is of a
 * process that was started after it.
 */
#include "supervise/leftovers.h"

#include <stdio.h>

#include "common/signals.h"

enum { NEWEST_BITS = 12, NEWEST_MASK = (1 << NEWEST_BITS) - 1, NAMED_MAX = 3 };

bool leftovers_existed(const struct delivery_moment *moment, const struct process *process)
{
	unsigned before = (moment->newest - (unsigned)process->pid) & NEWEST_MASK;

	if (moment->from == 0 || process->start > moment->to)
		return false;
	if (process->start < moment->from)
		return true;
	return moment->newest != 0 && before <= NEWEST_MASK / 2;
}

void leftovers_format(const struct process_list *list, char text[LEFTOVERS_TEXT_BYTES])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list->count && i < NAMED_MAX; i++)
		used += (size_t)snprintf(text + used, LEFTOVERS_TEXT_BYTES - used, "%s%d %s",
		                         i == 0 ? "" : ", ", (int)list->items[i].pid,
		                         list->items[i].name);
	if (list->count > NAMED_MAX)
		snprintf(text + used, LEFTOVERS_TEXT_BYTES - used, " and %zu more",
		         list->count - NAMED_MAX);
}

void end_format(int exit_status, int signum, char text[END_TEXT_BYTES])
{
	char name[SIGNAL_NAME_BYTES];

	if (signum != 0) {
		signal_format(signum, name);
		snprintf(text, END_TEXT_BYTES, "was ended by SIG%s", name);
	} else if (exit_status >= 0) {
		snprintf(text, END_TEXT_BYTES, "exited with %d", exit_status);
	} else {
		snprintf(text, END_TEXT_BYTES, "has ended");
	}
}

/*
 * Stopped supervisors: see stopped.h.
 *
 * A pid in a shared table may have been written by any member, so a process counts only
 * where it is an invctl of the caller's own.
 */
#include "invctl/stopped_supervisor.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "supervise/process_table.h"

static bool find_stopped(const struct inv_info *info, struct process *process)
{
	uid_t uid;

	return info->kind == INV_KIND_RUN && info->completed_ns == 0 && info->owner_pid > 0 &&
	       !info->orphaned && process_read(info->owner_pid, process) == 0 &&
	       process->state == 'T' && strncmp(process->name, "invctl", 6) == 0 &&
	       process_real_uid(process->pid, &uid) == 0 && uid == getuid();
}

bool supervisor_is_stopped(const struct inv_info *info)
{
	struct process process;

	return find_stopped(info, &process);
}

void supervisor_let_go_on(const struct inv_info *info)
{
	struct process process;

	if (find_stopped(info, &process))
		process_signal(&process, SIGCONT);
}

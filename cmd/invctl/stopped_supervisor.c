/*
 * Stopped supervisors: see stopped_supervisor.h.
 *
 * Any member of a shared table may have written a pid into it, so a process counts only
 * if it is the caller's, and an invctl.
 */
#include "invctl/stopped_supervisor.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"
#include "supervise/processes.h"

static bool find_stopped(const struct inv_info *info, struct process *process)
{
	struct process_status status;

	return info->kind == INV_KIND_RUN && info->completed_ns == 0 && info->owner_pid > 0 &&
	       !info->orphaned && process_read(info->owner_pid, process) == 0 &&
	       process->state == 'T' && strncmp(process->name, "invctl", 6) == 0 &&
	       process_read_status(process->pid, &status) == 0 && status.uid == getuid();
}

bool supervisor_is_stopped(const struct inv_info *info)
{
	struct process process;

	return find_stopped(info, &process);
}

void supervisor_report_stopped(const struct inv_info *info)
{
	char id_text[INV_ID_TEXT_BYTES];

	if (!supervisor_is_stopped(info))
		return;
	inv_id_format(info->id, id_text);
	message("the supervisor of invocation %s is stopped, and signals nothing until 'kill -CONT "
	        "%d' lets it go on",
	        id_text, info->owner_pid);
}

void supervisor_let_go_on(const struct inv_info *info)
{
	struct process process;

	if (find_stopped(info, &process))
		process_signal(&process, SIGCONT);
}

pid_t stopped_broker_of(inv_table *table, const struct inv_info *info)
{
	struct inv_table_info table_info;

	if (info->kind != INV_KIND_RUN || inv_table_info_get(table, &table_info) != 0 ||
	    !table_info.serving || process_state(table_info.broker_pid) != 'T')
		return 0;
	return info->orphaned || process_state(info->owner_pid) == '\0' ? table_info.broker_pid : 0;
}

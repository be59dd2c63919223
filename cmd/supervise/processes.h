/*
 * Which processes are an invocation's.
 *
 * While its supervisor lives, they are all its descendants: it is a child
 * subreaper, so that neither setsid nor a double fork leads out. When it is
 * dead, they are the command's descendants, and the processes of the same user
 * whose environment names the invocation, with theirs.
 *
 * Not of it: what descended from the supervisor's process before it started the command (as a
 * shell's process substitution, where the shell became `run`); the supervisors of other live
 * invocations, and what descends from them; brokers that were started on the way. Where the
 * supervisor of a nested one has died, what has become a child of ours then, and carries its id.
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "invctl.h"
#include "supervise/process_list.h"

/* The invocation whose processes are searched for. */
struct process_scope {
	inv_table *table;
	uint8_t id[16];
	uid_t uid;                    /* the invocation's owner */
	pid_t supervisor;             /* alive; 0: dead, or not known */
	pid_t command;                /* 0: not started */
	uint64_t command_start;       /* as in struct process; 0: not known */
	struct process_list *foreign; /* of processes_note_foreign, kept up to date; NULL: none */
};

enum process_reach {
	PROCESSES_OWN,        /* of this invocation alone */
	PROCESSES_EVERYTHING, /* and of all that is nested in it, but of none run with --no-kill */
};

/* Note what descends from this process, which has not started the command yet. Where no process
 * can be listed, nothing is noted. */
void processes_note_foreign(struct process_list *list);

/*
 * Find them, zombies left out. The list need not be empty: it is replaced.
 * 0; -ENOMEM; -EXDEV /proc is another PID namespace's; -EMFILE and the like where it
 * can't be read.
 */
int processes_find(const struct process_scope *scope, enum process_reach reach,
                   struct process_list *list);

/* The invocation of that table that a process was executed in, by its environment. */
bool process_context(pid_t pid, const char *table_name, uint8_t id[16]);

/* Signal a process of a list, if it is still that very process. 0; -ESRCH it has ended;
 * -EPERM; -EMFILE and the like. */
int process_signal(const struct process *process, int signum);

#endif

/*
 * The processes of an invocation: who they are, and signals that reach these
 * and no other.
 *
 * While its supervisor lives, they are all its descendants: it is a child
 * subreaper, so that neither setsid nor a double fork leads out. When it is
 * dead, they are the command's descendants, and the processes of the same user
 * whose environment names the invocation, with theirs.
 *
 * Not of it: the supervisors of other live invocations, and what descends from
 * them or carries another live invocation's id; brokers that were started on the way.
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "invctl.h"

struct process {
	pid_t pid;
	pid_t parent;
	uint64_t start; /* clock ticks since boot: tells it from a later one of the same pid */
	pid_t session;
	int threads;
	char state;    /* as /proc tells: 'T' stopped */
	char name[16]; /* of its program */
};

struct process_list {
	struct process *items;
	size_t count, room;
};

/* Whose processes are sought. */
struct process_scope {
	inv_table *table;
	uint8_t id[16];
	uid_t uid;              /* the invocation's owner */
	pid_t supervisor;       /* alive; 0: dead, or not known */
	pid_t command;          /* 0: not started */
	uint64_t command_start; /* as in struct process; 0: not known */
};

enum process_reach {
	PROCESSES_OWN,        /* of this invocation alone */
	PROCESSES_EVERYTHING, /* and of all that is nested in it, but of none run with --no-kill */
};

/*
 * Find them, zombies left out. The list need not be empty: it is replaced.
 * 0; -ENOMEM; -EMFILE and the like where /proc can't be read.
 */
int processes_find(const struct process_scope *scope, enum process_reach reach,
                   struct process_list *list);

void processes_free(struct process_list *list);

/*
 * Signal one that was found, through a pidfd that is verified to be that very
 * process. 0; -ESRCH it has ended; -EPERM.
 */
int process_signal(const struct process *process, int signum);

/* Does that process live? start 0: not known. A zombie does not. */
bool process_alive(pid_t pid, uint64_t start);

#endif

/*
 * A snapshot of /proc: every process with its parent, in the order of their
 * pids. What is read may be history already; whoever acts on it verifies first.
 */
#ifndef PROCESS_TABLE_H
#define PROCESS_TABLE_H

#include <stdbool.h>

#include "supervise/processes.h"

/* Replace list by all processes that /proc shows, zombies included (state 'Z').
 * 0, or -errno; the list is empty then. */
int process_table_read(struct process_list *list);

/*
 * Replace list by a process and all its descendants, which costs by their number and
 * not by that of all processes. 0; -ENOSYS the kernel does not list children; -errno.
 */
int process_table_read_tree(pid_t root, struct process_list *list);

/* One more entry's room at the end of a list; NULL: no memory. */
struct process *process_list_room(struct process_list *list);

/* In the order of pids, each once. */
void process_list_sort(struct process_list *list);

/* Where a pid stands in a list so read; -1: nowhere. */
long process_table_find(const struct process_list *list, pid_t pid);

/* One process. 0; -ESRCH. */
int process_read(pid_t pid, struct process *process);

/* A pidfd that is sure to be that process (one that has a start time). -ESRCH: it
 * has ended, and the pid may be another's. */
int process_pidfd(const struct process *process);

/* The user that a process belongs to (its real uid). 0; -ESRCH. */
int process_real_uid(pid_t pid, uid_t *uid);

/* Has it a handler for that signal? A process that has none starts no clean-up. */
bool process_catches(pid_t pid, int signum);

/* The same, and its state as in struct process. false: it has ended. */
bool process_state_and_catch(pid_t pid, int signum, char *state, bool *catches);

/* Wait until a child of ours has ended, so many milliseconds at most; it is not reaped. A
 * signal may end the wait, and without a pidfd there is none. */
void process_await_end(pid_t child, int timeout_ms);

/*
 * The values of INVCTL_ID and INVCTL_TABLE in the environment that a process was
 * executed with; "" where there is none. 0; -EACCES and the like.
 */
int process_context(pid_t pid, char id[37], char table[INV_TABLE_NAME_BYTES]);

#endif

/*
 * Snapshots of /proc: processes with their parents, in the order of their pids. What
 * is read may be history already: verify before acting on it.
 */
#ifndef PROCESS_LIST_H
#define PROCESS_LIST_H

#include <stddef.h>

#include "os/process.h"

struct process_list {
	struct process *items;
	size_t count;
};

/* Replace list by all processes that /proc shows, zombies included.
 * 0, or -errno; the list is empty then. */
int process_list_read(struct process_list *list);

/*
 * Replace list by a process and all its descendants, which costs by their number and
 * not by that of all processes. 0; -ENOSYS the kernel does not list children; -errno.
 */
int process_list_read_tree(pid_t root, struct process_list *list);

/* Where a pid stands in a list so read; -1: nowhere. */
long process_list_find(const struct process_list *list, pid_t pid);

void process_list_free(struct process_list *list);

#endif

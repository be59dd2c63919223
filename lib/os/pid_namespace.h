/*
 * What containers need: the life of processes that are in another PID namespace.
 *
 * Such a process can't be judged by its pid. Two means are left:
 *
 *   a lease        a lock on one byte of a file (F_OFD_SETLK), which the kernel frees with its
 *                  holder, however that dies, and shows across namespaces. The lock belongs to
 *                  the open file, so its descriptor must not be handed on or duplicated
 *   a search       /proc shows the processes of its own namespace and of those within that one,
 *                  each with all its pids (NSpid). The first namespace contains all others: a
 *                  process that is not found there is dead. From elsewhere it is dead if another
 *                  process of its namespace is found, because then all of them can be seen. Where
 *                  none is, or /proc hides other users' processes, nothing is concluded
 *
 * A search reads all of /proc. It is for rare cases, and limited to a few in 50 ms; beyond
 * that nothing is concluded.
 */
#ifndef PID_NAMESPACE_H
#define PID_NAMESPACE_H

#include <sys/types.h>

#include "os/process.h"

/* Take the lease on that byte. 0; -EBUSY another open file has it; -errno. */
int lease_take(int fd, off_t byte);

void lease_give_back(int fd, off_t byte);

/* Does another open file than this one have it: 1, 0, or -errno. */
int lease_held(int fd, off_t byte);

/* Search for the process that has this pid in its own namespace, and started between the two times,
 * in clock ticks since boot. namespace is its PID namespace's inode, or 0 where that is not known.
 */
enum process_life process_life_elsewhere(pid_t pid, uint64_t earliest_start, uint64_t latest_start,
                                         uint64_t namespace);

#endif

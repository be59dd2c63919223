/*
 * Which process is it, and does it live? A pid alone can't tell: pids are
 * reused. A process is its pid, its start time, its PID namespace, its pidfs
 * inode where the kernel has one, and its image, which an exec changes.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_identity {
	pid_t pid;
	uint64_t start;     /* clock ticks since boot, /proc/PID/stat field 22 */
	uint64_t namespace; /* inode of its PID namespace */
	uint64_t pidfs;     /* 0: not known */
	uint32_t image;     /* 0: not known (another user's process) */
};

enum process_life {
	PROCESS_DEAD,
	PROCESS_ALIVE,
	PROCESS_UNKNOWN, /* of another PID namespace: nothing is concluded */
};

/* The calling process. 0, or -errno where /proc can't be read. */
int process_self(struct process_identity *self);

/* The inode of the caller's PID namespace; 0 where /proc does not tell. Cached. */
uint64_t process_namespace(void);

/* /proc tells of the caller's PID namespace. In a new one it has to be mounted first; until
 * then what it says under a pid is of somebody else. */
bool process_proc_is_own(void);

/* Start time of a pid as the caller sees it; 0: there is none. */
uint64_t process_start(pid_t pid);

/* A zombie is dead, unless other threads of it run. */
enum process_life process_life(const struct process_identity *identity);

/* A pidfd of that very process. -ESRCH: it is dead. */
int process_open(const struct process_identity *identity);

/* It lives, but executed another program: cheaper than its life, and nothing else is said. */
bool process_executed(const struct process_identity *identity);

/* The first 15 bytes of a process's name, "" where it can't be read. */
void process_command(pid_t pid, char command[16]);

#endif

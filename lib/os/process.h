/*
 * Which process is it, and does it live? A pid alone can't tell: pids are
 * reused. A process is its pid, its start time, its PID namespace, its pidfs
 * inode where the kernel has one, and its image, which an exec changes.
 *
 * All functions here are async-signal-safe; they may change errno.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_identity {
	pid_t pid;
	uint64_t start; /* clock ticks since boot, as in the first time namespace; 0: not known */
	uint64_t namespace; /* inode of its PID namespace; 0: not known */
	uint64_t pidfs;     /* 0: not known */
	uint32_t image;     /* 0: not known (another user's process) */
};

enum process_life {
	PROCESS_DEAD,
	PROCESS_ALIVE,
	PROCESS_UNKNOWN, /* of another PID namespace, or no descriptor is left to check with */
};

/* What /proc/PID/stat says. It may be history already: verify before acting on it. */
struct process {
	pid_t pid;
	pid_t parent;
	pid_t session;
	int threads;
	uint64_t start; /* as in struct process_identity: differs from that of a later one with the
	                   same pid */
	uint32_t image; /* as in struct process_identity */
	char state;     /* 'T' stopped, 'Z' or 'X' its first thread has ended */
	char name[16];  /* of its program */
};

/* What /proc/PID/status says. */
struct process_status {
	uid_t uid;       /* the real one */
	uint64_t caught; /* the signals that have a handler: bit signum - 1 */
};

/* The calling process. 0, or -errno where /proc can't be read. */
int process_self(struct process_identity *self);

/* The inode of the caller's PID namespace; 0 where /proc does not say. Cached. */
uint64_t process_namespace(void);

/* /proc is of the caller's PID namespace. In a new one it has to be mounted first; until
 * then its pids are those of other processes. */
bool process_proc_is_own(void);

/* 0; -ESRCH there is none, or /proc hides it; -EMFILE and the like. */
int process_read(pid_t pid, struct process *process);

/* Its state letter alone, for the hot paths; 0: there is none. */
char process_state(pid_t pid);
int process_read_status(pid_t pid, struct process_status *status);

/* Start time of a pid; 0: there is none. */
uint64_t process_start(pid_t pid);

/* The same start time, as far as the caller's time namespace can tell. */
bool process_starts_equal(uint64_t one, uint64_t other);

/* A zombie is dead, unless other threads of it run. */
enum process_life process_life(const struct process_identity *identity);

/* A pidfd, verified to be that very process. -ESRCH: it is dead; -EMFILE and the like: it
 * can't be verified. */
int process_open(const struct process_identity *identity);

/* Signal the process of a pidfd. 0; -ESRCH it has ended; -EPERM. */
int process_signal_pidfd(int pidfd, int signum);

/* It lives, but executed another program: cheaper than its life, and nothing else is said. */
bool process_executed(const struct process_identity *identity);

/* The first 15 bytes of a process's name, "" where it can't be read. */
void process_command(pid_t pid, char command[16]);

/* The pid that was given last in this PID namespace; 0: not known. */
pid_t process_newest(void);

/* Now as a start time: clock ticks since boot. */
uint64_t process_ticks_now(void);

#endif

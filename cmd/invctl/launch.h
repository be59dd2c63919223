/*
 * Starting the command. The supervisor records the command's process in the table before
 * that process may execute the command, so that a supervisor that is killed at any moment
 * leaves an action that the table knows, or none.
 *
 * Supervisor and new process share a pair of sockets, closed by an exec:
 *
 *   supervisor                                  new process
 *   0. notes the processes that it has already
 *   1. fork(2)                                  waits for the word to go on
 *   2. puts it into a process group of its own
 *   3. records its pid in the table
 *   4. sends the word to go on                  5. resets its signals
 *                                               6. execve(2), which closes its socket
 *                                               7. where that fails: sends errno, exits
 *
 * The supervisor does not wait for the exec, which waits for the command's file system. It
 * carries out requests and deadlines meanwhile, and reads the result when the command has ended.
 *
 * What a SIGKILL leaves:
 *   supervisor, before 3  the new process finds the other socket closed, and exits; the
 *                         invocation was pending, and is lost
 *   supervisor, 3 to 4    the same; the table names the process until it has exited
 *   supervisor, after 4   an action that the table knows, and the broker takes over
 *   new process, any      a command that was killed; the supervisor reaps it
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "invctl-supervisor.h"
#include "supervise/process_list.h"

struct launch {
	pid_t pid;      /* leads a process group of its own */
	int result;     /* where errno comes in if the exec fails */
	int exec_errno; /* once the command has ended; not 0: it could not be executed */
	struct process_list foreign; /* what was there before it; the caller frees it */
};

/* What the command is given besides its words. */
struct launch_context {
	char **command;
	inv_invocation *invocation;
	const uint8_t *id;
	const char *table_name;
	int report; /* of detach.h, for a failure of the exec; -1: none */
};

/* Start it, in a launch that is zeroed: returns when its process is recorded and may go on. 0, or
 * -errno: there is no process. */
int launch(const struct launch_context *context, struct launch *launch);

/* The command has ended: learn whether it was executed. */
void launch_ended(struct launch *launch);

#endif

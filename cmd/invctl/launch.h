/*
 * Starting the command. Its process records itself in the table before it executes the
 * command, and until then it dies with its supervisor: a supervisor that is killed at any
 * moment leaves an action that the table knows, or none.
 *
 * The process is made by vfork(2): it borrows the supervisor's memory until the command is
 * executed. A copy, as fork(2) makes, would be thrown away by the exec, and until then every
 * page that either of the two writes costs a fault and is copied. Whoever calls vfork waits
 * for the exec, which waits for the command's file system: so a thread does. The supervisor
 * goes on when the pid is recorded, and minds requests even where the exec hangs.
 *
 * What a SIGKILL leaves:
 *   supervisor, before the process asks to die with it   the process sees another
 *                                                        parent, and ends
 *   supervisor, until the pid is recorded                nothing: the kernel kills the process
 *                                                        before anybody can see
 *                                                        the supervisor dead
 *   supervisor, later                                    an action that the broker takes over
 *   the process                                          a command that has ended
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "invctl-supervisor.h"

struct launch {
	pid_t pid;      /* leads a process group of its own */
	int exec_errno; /* not 0: the command can't be executed; the process ends */
};

/* What the command is given besides its words. */
struct launch_context {
	char **command;
	inv_invocation *invocation;
	const uint8_t *id;
	const char *table_name;
};

/* Start it, once in a process: returns when its process is recorded. exec_errno is known when
 * the process has ended. 0, or -errno: there is no process. */
int launch(const struct launch_context *context, struct launch *launch);

#endif

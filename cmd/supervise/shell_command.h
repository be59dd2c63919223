/* Runs the shell commands of `run --stop` and `run --finish`. */
#ifndef SHELL_COMMAND_H
#define SHELL_COMMAND_H

#include <stdint.h>
#include <sys/types.h>

struct shell_command {
	const char *what; /* "stop command", for messages */
	const char *text;
	const char *cwd;    /* where; NULL: here */
	char **environment; /* NULL: the caller's. INVCTL_ID and INVCTL_TABLE are set in it */
	int output;         /* where stdout and stderr go; -1: as the caller's */
	const char *const (*settings)[2]; /* more of it: names and values, up to a NULL name */
	const uint8_t *id;
	const char *table_name;
};

/*
 * Start it in the invocation's context, without waiting for it and without leaving a child to reap
 * (but where the caller is a subreaper). 0, or -errno; a failure in the new process is reported on
 * stderr.
 */
int shell_command_start(const struct shell_command *command);

/*
 * Start it as a child, which executes nothing before shell_command_go: should the caller be killed
 * before that, it exits.
 *   go  what shell_command_go takes
 * Its pid, or -errno.
 */
pid_t shell_command_prepare(const struct shell_command *command, int *go);
void shell_command_go(int go);

#endif

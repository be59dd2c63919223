/*
 * Starting the command in two steps: the process is made and waits at a gate;
 * when its pid is recorded the gate is opened, and it executes the command. A
 * supervisor that is killed in between leaves a process that ends by itself, not
 * one that nobody knows.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

struct launch {
	pid_t pid; /* leads a process group of its own */
	int gate;
};

/* What the command is given besides its words. */
struct launch_context {
	char **command;
	const uint8_t *id;
	const char *table_name;
};

/* Make the process. 0, or -errno. */
int launch_prepare(const struct launch_context *context, struct launch *launch);

/* Let it execute the command. */
void launch_go(struct launch *launch);

/* Let it end instead, and see it gone. */
void launch_abandon(struct launch *launch);

/* Once it has ended: the errno of an exec that failed; 0: it was executed. */
int launch_error(struct launch *launch);

#endif

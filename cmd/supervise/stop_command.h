/* Runs the command of `run --stop`. */
#ifndef STOP_COMMAND_H
#define STOP_COMMAND_H

#include <stdint.h>

/*
 * Start `sh -c command` in the invocation's context, without waiting for it and
 * without leaving a child to reap (but where the caller is a subreaper).
 *   cwd          where; NULL: here
 *   environment  NULL: the caller's; INVCTL_ID and INVCTL_TABLE are set in it
 * 0, or -errno; a failure in the new process is reported on stderr.
 */
int stop_command_start(const char *command, const char *cwd, char **environment,
                       const uint8_t id[16], const char *table_name);

#endif

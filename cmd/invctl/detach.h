/*
 * `run --detach`: the supervisor moves to a process in a session of its own. The caller
 * returns when the command has been executed, or has said why it can't be.
 *
 * The report descriptor is the end of a pipe that the caller reads. It is closed by an exec;
 * the caller takes that for the command's, so the supervisor closes its own copy when the
 * command's process has one. Where nothing is detached it is -1.
 */
#ifndef DETACH_H
#define DETACH_H

#include <stdint.h>

#include "invctl.h"

/*
 * Part. In the caller it returns the exit status, after the id was printed or a
 * message was; in the new process -1 and a report descriptor, with stdin from /dev/null,
 * stderr still the caller's, and nothing else of the caller's open.
 *   command  its name, for messages
 */
int detach_part(const char *command, int *report);

/* In the supervisor: the invocation is registered, and its output goes to its file from now on. */
void detach_settle(int report, inv_table *table, const uint8_t id[16]);

/* The command is not executed, and the caller exits with that status.
 *   error  errno, for the caller's message; 0: a message has been printed */
void detach_fail(int report, int status, int error);

#endif

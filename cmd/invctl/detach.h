/*
 * `run --detach`: the supervisor moves to a process in a session of its own. The caller
 * returns when the command has been executed, or has said why it can't be.
 *
 * The report descriptor is a socket to the caller, closed by an exec. The caller reads until all
 * copies are closed, so the supervisor closes its own when the command's process has one. Where
 * nothing is detached it is -1.
 *
 * What a SIGKILL leaves:
 *   caller                an action that runs, with an id that was not printed; list shows it
 *   supervisor, until the word to go on (launch.h)
 *                         no report, and no command: the caller exits with 125, prints no id
 *   supervisor, later     an action that the broker takes over; the caller prints its id
 *   command's process     before detach_executing as the supervisor; later a command that was
 *                         killed, whose id is printed
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

/* In the command's process: its exec is the next thing that it does. */
void detach_executing(int report, const uint8_t id[16]);

/* The command is not executed, and the caller exits with that status.
 *   error  errno, for the caller's message; 0: a message has been printed */
void detach_fail(int report, int status, int error);

#endif

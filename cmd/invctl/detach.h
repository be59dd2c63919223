/*
 * `run --detach`: the supervisor moves to a process in a session of its own,
 * and the caller returns once it has registered, or has said why it can't.
 */
#ifndef DETACH_H
#define DETACH_H

#include <stdbool.h>
#include <stdint.h>

#include "invctl.h"

/*
 * Part. In the caller it returns the exit status, after the id was printed or a
 * message was; in the new process -1 and a report descriptor, with stdin from /dev/null,
 * stderr still the caller's, and nothing else of the caller's open.
 */
int detach_part(int *report);

/* In the new process: the invocation is registered, its output goes to its file from
 * now on, and the caller may go. */
void detach_settle(int report, inv_table *table, const uint8_t id[16]);

/* In the new process: it ends with that status instead; messages have been printed. */
void detach_fail(int report, int status);

#endif

/* cancel --wait: until the targets have ended, or what those that have not still wait for. */
#ifndef CANCEL_WAIT_H
#define CANCEL_WAIT_H

#include "invctl/selectors.h"
#include "invctl/story.h"

/*
 * Wait for the targets without a failure.
 *   flags  of the inv_cancel that was called
 *   story  of -v, which goes on meanwhile; NULL: none
 * 0; EXIT_TIMED_OUT, after a message, where one still runs; EXIT_NO_TABLE.
 */
int cancel_wait(inv_table *table, const struct targets *targets, int64_t timeout_ns, unsigned flags,
                struct story *story);

#endif

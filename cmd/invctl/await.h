/* Waiting for the end of invocations, and the exit status that they owe a waiter. */
#ifndef AWAIT_H
#define AWAIT_H

#include <stdint.h>

#include "invctl.h"
#include "invctl/selectors.h"

/* Neither is an exit status; AWAIT_UNKNOWN comes after a message. */
enum { AWAIT_TIMED_OUT = -1, AWAIT_UNKNOWN = -2 };

/* The monotonic time at which a wait of timeout_ns from now is over; INV_FOREVER stays that. */
int64_t await_until(int64_t timeout_ns);

/*
 * Wait for the end of one. Its exit status (0 where it left without a record, as events and
 * contexts do), AWAIT_TIMED_OUT, or AWAIT_UNKNOWN where the table is lost, and with it
 * whether it has ended.
 */
int await_end(inv_table *table, const uint8_t id[16], int64_t until_ns);

/* Wait until one of several, none of them failed, has ended; as await_end. */
int await_first(inv_table *table, const struct targets *targets, int64_t until_ns);

#endif

/* Waiting for the end of invocations, and the exit status that they owe a waiter. */
#ifndef AWAIT_H
#define AWAIT_H

#include <stdint.h>

#include "invctl.h"
#include "selector.h"

enum { AWAIT_TIMED_OUT = -1 };

/* The monotonic time at which a wait of timeout_ns from now is over; INV_FOREVER stays that. */
int64_t await_until(int64_t timeout_ns);

/*
 * Wait for the end of one. Its exit status (0 where it left without a record), or
 * AWAIT_TIMED_OUT.
 */
int await_end(inv_table *table, const uint8_t id[16], int64_t until_ns);

/* Wait until one of several, none of them failed, has ended; as await_end. */
int await_first(inv_table *table, const struct targets *targets, int64_t until_ns);

#endif

/*
 * Watching the owners, so that a sweep follows the death of one at once.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdint.h>

#include "api/broker.h"

/* Watch the owners of this table. adopt is called for each invocation of `run` whose supervisor
 * is dead and whose action lives. 0, or -errno. */
int watch_open(inv_table *table, void (*adopt)(inv_invocation *, void *), void *arg);

/* There may be owners that are not watched yet. */
void watch_refresh(void);

/* Step of the loop: catch up, and sweep where an owner has died. */
int64_t watch_step(int64_t now_ns);

#endif

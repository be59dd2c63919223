/*
 * Removing what has ended, from the table and from the state directory.
 */
#ifndef RETIRE_H
#define RETIRE_H

#include <stdint.h>

#include "api/broker.h"

void retire_open(inv_table *table, int64_t retain_ns);

/* Something may have ended. */
void retire_notified(void);

/* Step of the loop: free what ended longer ago than it is kept. */
int64_t retire_step(int64_t now_ns);

#endif

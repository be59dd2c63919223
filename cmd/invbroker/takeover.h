/*
 * Invocations of `run` whose supervisor is dead and whose action lives: the broker
 * supervises them.
 */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "api/broker.h"

/* shared: others than the broker's user can write to the table. */
void takeover_open(inv_table *table, bool shared);

/* Take one over; the handle is the takeover's from now on. arg is not used. */
void takeover_adopt(inv_invocation *invocation, void *arg);

/* There may be a request to one of them. */
void takeover_notified(void);

/* A child was reaped: it may be a finish command. */
void takeover_reaped(pid_t pid, int wait_status);

/* Step of the loop: whatever is due for any of them. */
int64_t takeover_step(int64_t now_ns);

#endif

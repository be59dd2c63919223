/*
 * Supervisors that are stopped (SIGSTOP, Ctrl-Z): a request waits until they continue.
 */
#ifndef STOPPED_SUPERVISOR_H
#define STOPPED_SUPERVISOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "invctl.h"

/* Whether the supervisor of a live invocation is stopped. */
bool supervisor_is_stopped(const struct inv_info *info);

/* Say so, and how it goes on; nothing where it is not stopped. */
void supervisor_report_stopped(const struct inv_info *info);

/* Continue it, so that it carries out requests. */
void supervisor_let_go_on(const struct inv_info *info);

/* Its supervisor is dead, and the broker that has to act in its place is stopped: the broker's
 * pid. Else 0. */
pid_t stopped_broker_of(inv_table *table, const struct inv_info *info);

#endif

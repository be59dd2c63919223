/*
 * Supervisors that are stopped (SIGSTOP, Ctrl-Z): a request waits until they go on.
 */
#ifndef STOPPED_SUPERVISOR_H
#define STOPPED_SUPERVISOR_H

#include <stdbool.h>

#include "invctl.h"

/* Whether the supervisor of a live invocation is stopped. */
bool supervisor_is_stopped(const struct inv_info *info);

/* Let it go on, so that it can do what it was asked for. */
void supervisor_let_go_on(const struct inv_info *info);

#endif

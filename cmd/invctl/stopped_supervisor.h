/*
 * Supervisors that are stopped (SIGSTOP, Ctrl-Z): a request waits until they continue.
 */
#ifndef STOPPED_SUPERVISOR_H
#define STOPPED_SUPERVISOR_H

#include <stdbool.h>

#include "invctl.h"

/* Whether the supervisor of a live invocation is stopped. */
bool supervisor_is_stopped(const struct inv_info *info);

/* Say so, and how it goes on; nothing where it is not stopped. */
void supervisor_report_stopped(const struct inv_info *info);

/* Continue it, so that it carries out requests. */
void supervisor_let_go_on(const struct inv_info *info);

#endif

/* What follows a command's end: the outcome, what it left running, its finish command. Carries out
 * these steps of the escalation for deliver.c. */
#ifndef ENDING_H
#define ENDING_H

#include "supervise/deliver.h"

void ending_step(struct delivery *delivery, const struct inv_run_view *view,
                 enum escalation_step step, int64_t now_ns);

#endif

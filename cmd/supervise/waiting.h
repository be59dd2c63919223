/* What an invocation whose command has ended still waits for. */
#ifndef WAITING_H
#define WAITING_H

#include "invctl.h"
#include "supervise/process_list.h"

/* Replace list by its processes; empty while the command runs, and where they can't be listed. */
void waiting_for(inv_table *table, const struct inv_info *info, struct process_list *list);

#endif

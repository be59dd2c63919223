/* What an invocation whose command has ended still waits for. */
#ifndef WAITING_H
#define WAITING_H

#include "invctl.h"
#include "supervise/leftovers.h"

/* Replace list by its processes; empty while the command runs, and where they can't be listed. */
void waiting_for(inv_table *table, const struct inv_info *info, struct process_list *list);

/* "its command exited with 122; waiting for 6403 sleep", of one that is finishing.
 *   list  as waiting_for makes it */
enum { WAITING_TEXT_BYTES = LEFTOVERS_TEXT_BYTES + END_TEXT_BYTES + 64 };
void waiting_format(const struct inv_info *info, const struct process_list *list,
                    char text[WAITING_TEXT_BYTES]);

#endif

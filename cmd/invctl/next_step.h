/* What would be stronger than the request that was made, and whether a signal came before it. */
#ifndef NEXT_STEP_H
#define NEXT_STEP_H

#include <stdbool.h>

#include "invctl.h"

enum { NEXT_STEP_BYTES = 192 };

/*
 * What is left to do where the request alone is not enough: "next: invctl cancel --signal
 * 4e572863", or why there is nothing. flags  of the inv_cancel that was called
 */
void next_step(inv_table *table, const struct inv_info *info, unsigned flags,
               char text[NEXT_STEP_BYTES]);

/* A signal was sent for an earlier request, so that none follows for the one that is pending, and
 * the action has never checked. Waits for a moment where a signal may still be on its way, and
 * reads info anew. */
bool next_step_is_signal(inv_table *table, unsigned flags, struct inv_info *info);

#endif

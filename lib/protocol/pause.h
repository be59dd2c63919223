/* Pausing and resuming an invocation, and all that is nested in it: see pause.c. */
#ifndef PAUSE_H
#define PAUSE_H

#include "table/table.h"

/* Called for a nested one that goes on until its first check. */
typedef void (*pause_goes_on)(const uint8_t id[16], void *arg);

/*
 * Pause it and its live descendants.
 *   stop     also stop the processes of those under `run` that are not cooperative
 *   goes_on  called for each descendant that is not cooperative and goes on; may be NULL
 * 0; -ECANCELED a request is pending; -EOPNOTSUPP it is not cooperative, and its processes are not
 * to be stopped or it has no supervisor; -ESTALE it has ended; -ENOMEM it is paused, and its
 * descendants are not.
 */
int pause_begin(inv_table *table, struct slot_ref ref, bool stop, pause_goes_on goes_on, void *arg);

/* Resume it and its live descendants. 0; -ESTALE; -ENOMEM as above. */
int pause_end(inv_table *table, struct slot_ref ref);

/* A new registration, already live, is paused where its parent is. */
void pause_inherit(inv_table *table, struct slot_ref ref, struct slot_ref parent);

/* The supervisor has continued the processes. */
void pause_continued(inv_table *table, struct slot_ref ref);

#endif

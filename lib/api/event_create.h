/* Registering an event: what create, get, enter and begin have in common. */
#ifndef EVENT_CREATE_H
#define EVENT_CREATE_H

#include "api/handle.h"

/* Register and give the owned handle. parent: the caller's current invocation.
 * Errors as inv_event_create. id NULL: a fresh one. */
int event_register(inv_table *table, const uint8_t *id, enum inv_kind kind, const char *name,
                   inv_event **out);

/* Register with everything given, and give the handle; owned as in struct inv_event. */
int event_register_as(inv_table *table, const struct registration *registration, bool owned,
                      inv_event **out);

#endif
